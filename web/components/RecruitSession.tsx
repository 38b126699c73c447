// The session of the room: made with the completion links, and a new one in the place of the old only after a backup.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useJob, useStartJob } from '../jobs.ts';
import { Loading } from './Answer.tsx';
import { CreateSession } from './CreateSession.tsx';
import { FactGroup } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

type Props = { instance: InstanceView; room: string; expected: number | null };

export function RecruitSession({ instance, room: name, expected }: Props): ReactNode {
  const room = instance.rooms.find((one) => one.name === name);
  /** The old session whose data were saved: only then a new one may take its place. */
  const [saved, setSaved] = useState<string | null>(null);
  if (!room) return null;
  const isFree = room.sessionCode === null || saved === room.sessionCode || !canOnInstance(instance.standing, 'instance.back-up');
  return (
    <FactGroup title="Session of this room">
      {isFree ? (
        <CreateSession instance={instance} room={room} readyCount={0} {...(expected === null ? {} : { expected })} />
      ) : (
        <Occupied instance={instance} code={room.sessionCode ?? ''} onSaved={setSaved} />
      )}
    </FactGroup>
  );
}

function Occupied({ instance, code, onSaved }: { instance: InstanceView; code: string; onSaved: (code: string) => void }): ReactNode {
  const start = useStartJob(instance.name);
  const job = useJob(start.data?.id ?? null, start.data);
  const state = job.data?.state;
  const isSaving = start.isPending || (start.data !== undefined && state !== 'succeeded' && state !== 'failed' && state !== 'cancelled');
  const backUp = (): void => start.mutate({ kind: 'back-up', note: `before a new session, ${code} was open` });
  return (
    <>
      <p>
        Session <code>{code}</code> is open.{' '}
        <a href={`${instance.url}/SessionMonitor/${code}`} target="_blank" rel="noopener">
          See it in oTree ↗
        </a>
      </p>
      <p>
        To begin again, make a new session in its place. People who come from then on are in the new one; {code} keeps its data, and who is in it goes on. A
        backup is taken first.
      </p>
      {state === 'succeeded' ? (
        <Button type="button" primary onClick={() => onSaved(code)}>
          The backup is there: go on
        </Button>
      ) : (
        <Button type="button" basic disabled={isSaving || instance.job !== null} onClick={backUp}>
          Back up and make a new session…
        </Button>
      )}
      {isSaving && <Loading what="The backup is being taken and checked…" />}
      {start.error && <ProblemMessage error={start.error} />}
      {state === 'failed' && <p className="tone-brick">The backup did not succeed, so nothing else was done. See the jobs of this instance.</p>}
    </>
  );
}
