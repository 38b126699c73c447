// Where experiments run, on the System page: what is in use, who decided it, and choosing another one for new instances.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { platformWords, type PlatformChoice as Choice } from '../../contracts/platform-choice.ts';
import { usePlatformChoice } from '../platform-choice.ts';
import { showToast } from '../toasts.ts';
import { Answer } from './Answer.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { MakeManager } from './MakeManager.tsx';
import { PlatformChoice } from './PlatformChoice.tsx';
import { Sentence } from './Sentence.tsx';

export function PlatformGroup(): ReactNode {
  const query = usePlatformChoice();
  return (
    <FactGroup title="Where experiments run">
      <Answer query={query}>{(choice) => <Present choice={choice} isLooking={query.isFetching} onLookAgain={() => void query.refetch()} />}</Answer>
    </FactGroup>
  );
}

const decided: Readonly<Record<Choice['chosenBy'], string>> = {
  environment: 'PLATFORM, given to the start of the panel',
  person: 'a lab manager, in the panel',
  nobody: 'nobody yet: it is the default',
};

function Present({ choice, isLooking, onLookAgain }: { choice: Choice; isLooking: boolean; onLookAgain: () => void }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const option = choice.options.find(({ platform }) => platform === choice.present);
  const onDone = ({ present }: Choice): void => {
    setIsOpen(false);
    showToast(`New instances run ${platformWords[present]}.`);
  };
  return (
    <>
      <FactList>
        <Fact name="Platform">
          <code>{choice.present}</code>: {platformWords[choice.present]}
        </Fact>
        <Fact name="Keeps apart">{option?.isolation}</Fact>
        <Fact name="Decided by">{decided[choice.chosenBy]}</Fact>
        {choice.proposed !== choice.present && choice.chosenBy !== 'environment' && (
          <Fact name="Proposed">
            <strong>{platformWords[choice.proposed]}.</strong> <Sentence text={choice.whyProposed} />
          </Fact>
        )}
      </FactList>
      {option?.needsSwarm && <MakeManager addresses={choice.addresses} />}
      {choice.whyFixed !== null && (
        <p className="quiet">
          {choice.whyFixed} {choice.chosenBy !== 'environment' && <a href="/help/swarm">How experiments are moved</a>}
        </p>
      )}
      {choice.whyFixed === null && !isOpen && (
        <Button type="button" basic onClick={() => setIsOpen(true)}>
          Choose another platform…
        </Button>
      )}
      {choice.whyFixed === null && isOpen && (
        <PlatformChoice
          choice={choice}
          first={choice.present}
          isLooking={isLooking}
          onLookAgain={onLookAgain}
          onDone={onDone}
          onCancel={() => setIsOpen(false)}
        />
      )}
    </>
  );
}
