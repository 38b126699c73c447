// A sentence about a state that wants attention, and where to look.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Message } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import type { InstanceState } from '../../contracts/states.ts';
import { instancePath } from '../addresses.ts';
import { Ago } from './Ago.tsx';

const titles: Partial<Record<InstanceState, string>> = {
  crashed: 'The experiment has ended by itself.',
  unhealthy: 'The experiment runs but does not answer.',
  failed: 'This instance was not fully created.',
  unknown: 'It is not known how this instance is.',
};

export function StateNote({ instance }: { instance: InstanceView }): ReactNode {
  const title = titles[instance.state];
  if (title === undefined) return null;
  const isBad = instance.state === 'crashed' || instance.state === 'failed';
  return (
    <Message negative={isBad} warning={!isBad} role="status">
      <Message.Header>{title}</Message.Header>
      {instance.stateDetail && <p>{instance.stateDetail}</p>}
      <p>
        {instance.state === 'failed' ? (
          'Delete it under Settings and create it again.'
        ) : instance.state === 'unknown' ? (
          <>Last observed {instance.observedAt === null ? 'never' : <Ago at={instance.observedAt} />}. The panel looks again by itself.</>
        ) : (
          <>
            Its last lines are in the <Link to={instancePath(instance.name, 'deploy')}>runtime log</Link>. Since <Ago at={instance.stateSince} />.
          </>
        )}
      </p>
    </Message>
  );
}
