// The last error of the experiment, so that nobody has to switch debug on to see one.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instancePath } from '../addresses.ts';
import { useHideError } from '../instance-activity.ts';
import { exceptionOf } from '../traceback.ts';
import { Ago } from './Ago.tsx';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

export function LastError({ instance }: { instance: InstanceView }): ReactNode {
  const hide = useHideError(instance.name);
  const { lastTraceback } = instance;
  if (lastTraceback === null) return null;
  return (
    <FactGroup title="Last error of the experiment" aside={<CopyButton what="error" text={lastTraceback.text} />}>
      <p className="tone-brick">
        <Glyph name="times circle" />
        {exceptionOf(lastTraceback.text)}
      </p>
      <p className="quiet">
        Seen <Ago at={lastTraceback.at} />. A participant saw “Application error”. Correct the code and push: a new deployment takes this away. What came before
        it stands in the <Link to={instancePath(instance.name, 'deploy')}>runtime log</Link>.
      </p>
      <details className="fold">
        <summary>Where it happened</summary>
        <pre className="traceback">{lastTraceback.text}</pre>
      </details>
      {hide.error && <ProblemMessage error={hide.error} />}
      {canOnInstance(instance.standing, 'instance.change') && (
        <Button type="button" basic compact loading={hide.isPending} disabled={hide.isPending} onClick={() => hide.mutate()}>
          Hide until it comes again
        </Button>
      )}
    </FactGroup>
  );
}
