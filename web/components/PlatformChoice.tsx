// Choosing where experiments run: each platform with what was seen of it and what it keeps apart, the proposed one marked.

import { useId, useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import { platformWords, type PlatformChoice as Choice, type PlatformName, type PlatformOption } from '../../contracts/platform-choice.ts';
import { platformVerbs, useChoosePlatform } from '../platform-choice.ts';
import { Glyph } from './Glyph.tsx';
import { MakeManager } from './MakeManager.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { Sentence } from './Sentence.tsx';

type Props = {
  choice: Choice;
  /** What is marked at first. */
  first: PlatformName;
  onLookAgain: () => void;
  isLooking: boolean;
  onDone: (choice: Choice) => void;
  /** Left out where there is nothing to go back to. */
  onCancel?: () => void;
};

export function PlatformChoice({ choice, first, onLookAgain, isLooking, onDone, onCancel }: Props): ReactNode {
  const [wanted, setWanted] = useState(first);
  const choose = useChoosePlatform(onDone);
  const option = choice.options.find(({ platform }) => platform === wanted);
  const isReady = option !== undefined && option.whyNot === null && !option.needsSwarm;
  const noteId = useId();
  return (
    // No form: the question about the Swarm is one, and stands inside.
    <div className="platform-choice">
      <p>
        <strong>Proposed: {platformWords[choice.proposed]}.</strong> <Sentence text={choice.whyProposed} />
      </p>
      <fieldset className="platforms" aria-label="Where experiments run">
        {choice.options.map((one) => (
          <Option
            key={one.platform}
            option={one}
            isProposed={one.platform === choice.proposed}
            isWanted={one.platform === wanted}
            onWant={() => setWanted(one.platform)}
          />
        ))}
      </fieldset>
      {option?.needsSwarm && <MakeManager addresses={choice.addresses} />}
      {choose.error && <ProblemMessage error={choose.error} />}
      <div className="platform-buttons">
        <Button
          type="button"
          primary
          size="large"
          loading={choose.isPending}
          disabled={!isReady || choose.isPending}
          aria-describedby={noteId}
          onClick={() => choose.mutate(wanted)}
        >
          {platformVerbs[wanted]}
        </Button>
        <Button type="button" basic loading={isLooking} disabled={isLooking} onClick={onLookAgain}>
          Look again
        </Button>
        {onCancel && (
          <Button type="button" basic onClick={onCancel}>
            Cancel
          </Button>
        )}
      </div>
      <p className="quiet" id={noteId}>
        {option?.needsSwarm ? 'First make the engine the manager of a Swarm, above.' : 'It can be changed on the System page.'}
      </p>
    </div>
  );
}

type OptionProps = { option: PlatformOption; isProposed: boolean; isWanted: boolean; onWant: () => void };

function Option({ option, isProposed, isWanted, onWant }: OptionProps): ReactNode {
  const id = useId();
  const words = platformWords[option.platform];
  return (
    <div className={`platform ${isWanted ? 'wanted' : ''}`}>
      <input
        id={id}
        type="radio"
        name="platform"
        value={option.platform}
        checked={isWanted}
        disabled={option.whyNot !== null}
        aria-describedby={`${id}-about`}
        onChange={onWant}
      />
      <label htmlFor={id}>
        {words.charAt(0).toUpperCase() + words.slice(1)} <code>{option.platform}</code>
      </label>
      {isProposed && (
        <span className="sign tone-moss">
          <Glyph name="check circle" /> proposed
        </span>
      )}
      <div id={`${id}-about`} className="about">
        <p>{option.isolation}</p>
        <ul>
          {option.seen.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        {option.whyNot !== null && (
          <p className="tone-amber">
            <Glyph name="exclamation triangle" /> {option.whyNot} <span className="quiet">{option.fix}</span>
          </p>
        )}
      </div>
    </div>
  );
}

/** In the place of the choice where the start of the panel has decided. */
export function PlatformGiven({ choice }: { choice: Choice }): ReactNode {
  const option = choice.options.find(({ platform }) => platform === choice.present);
  return (
    <>
      <Message info>
        <Message.Header>Experiments run {platformWords[choice.present]}.</Message.Header>
        <p>{choice.whyFixed}</p>
      </Message>
      {option && <p>{option.isolation}</p>}
      {option && option.seen.length > 0 && (
        <ul>
          {option.seen.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {option?.whyNot && (
        <p className="tone-amber">
          <Glyph name="exclamation triangle" /> {option.whyNot} {option.fix}
        </p>
      )}
      {option?.needsSwarm && <MakeManager addresses={choice.addresses} />}
    </>
  );
}
