// "Try it": a made-up person walks through the room, and what came of it, step by step.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import type { TestClick } from '../../contracts/recruiting-view.ts';
import { useTestClick } from '../recruiting.ts';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

type Props = { instance: InstanceView; room: string };

export function TestClickPanel({ instance, room }: Props): ReactNode {
  const click = useTestClick(instance.name, room);
  const isRunning = instance.state === 'running';
  return (
    <FactGroup title="Try it">
      <p>
        A made-up person clicks the link, goes to the first page, and is looked for in the data. The id begins with <code>test_</code>; it takes one place of
        the session. Prolific itself is not asked.
      </p>
      <Button
        type="button"
        primary={!click.data}
        basic={click.data !== undefined}
        disabled={!isRunning || click.isPending}
        loading={click.isPending}
        onClick={() => click.mutate()}
      >
        Test click
      </Button>
      {!isRunning && <p className="quiet">Start the experiment to try it.</p>}
      {click.error && <ProblemMessage error={click.error} />}
      {click.data && <Steps click={click.data} />}
    </FactGroup>
  );
}

function Steps({ click: { label, steps } }: { click: TestClick }): ReactNode {
  const isWell = steps.every((step) => step.isWell);
  return (
    <div role="status" className="test-click">
      <p>
        <strong>{isWell ? 'Everything works.' : 'Something is in the way.'}</strong> The person was <code>{label}</code>.
      </p>
      <ol className="plain-list looks">
        {steps.map((step) => (
          <li key={step.sentence}>
            <span className={step.isWell ? 'tone-moss' : 'tone-brick'}>
              <Glyph name={step.isWell ? 'check circle' : 'times circle'} />
              <span className="said">{step.isWell ? 'Works: ' : 'Fails: '}</span>
            </span>
            {step.sentence}
            {step.hint !== null && <span className="block quiet">{step.hint}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
