// Ids of the room's session that took part before: flagged, with where.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import type { Returned } from '../../contracts/recruiting-view.ts';
import { countOf } from '../numbers.ts';
import { useFindReturned } from '../recruiting.ts';
import { DataTable } from './DataTable.tsx';
import { FactGroup } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

type Props = { instance: InstanceView; room: string };

export function ReturnedPeople({ instance, room }: Props): ReactNode {
  const look = useFindReturned(instance.name, room);
  return (
    <FactGroup title="Who was here before">
      <p>An id of this room’s session that took part in an earlier session, here or in another instance of the same owner.</p>
      <Button type="button" basic disabled={look.isPending} loading={look.isPending} onClick={() => look.mutate()}>
        Look for them
      </Button>
      {look.error && <ProblemMessage error={look.error} />}
      <div role="status">{look.data && <Found returned={look.data} />}</div>
    </FactGroup>
  );
}

function Found({ returned: { sessionCode, people } }: { returned: Returned }): ReactNode {
  if (sessionCode === null) return <p className="quiet">Nobody is in a session of this room yet.</p>;
  if (people.length === 0) return <p>Nobody in session {sessionCode} took part before.</p>;
  return (
    <>
      <p className="tone-amber">
        <strong>{countOf(people.length, 'id')}</strong> of session {sessionCode} took part before.
      </p>
      <DataTable
        name="Ids that took part before"
        columns={[
          { title: 'Id', render: ({ label }) => <code>{label}</code> },
          {
            title: 'Before',
            render: ({ where }) => where.map((one) => `${one.sessionCode} in ${one.instance}${one.isFinished ? '' : ', not to the end'}`).join(' · '),
          },
        ]}
        rows={people.map((one) => ({ ...one, id: one.label }))}
      />
    </>
  );
}
