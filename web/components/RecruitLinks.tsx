// Where people are sent at the end: each link with the name under which the experiment finds it, and who has it already.

import { useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import type { RecruitingView, RoomRecruitment } from '../../contracts/recruiting-view.ts';
import { Ago } from './Ago.tsx';
import { ConfirmAction } from './ConfirmAction.tsx';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';

type Props = { instance: InstanceView; view: RecruitingView; room: RoomRecruitment };

export function RecruitLinks({ instance, view, room }: Props): ReactNode {
  const fields = Object.entries(room.sessionFields);
  const elsewhere = view.adminFields.filter(
    ({ field, link, room: from }) => from !== room.room && room.sessionFields[field] !== undefined && room.sessionFields[field] !== link,
  );
  const own = view.source?.ownLinks ?? [];
  if (fields.length === 0) return null;
  return (
    <FactGroup title="Completion links">
      <ul className="plain-list links">
        {fields.map(([field, link]) => (
          <li key={field}>
            <code>session.config['{field}']</code>
            <div className="remote">
              <code>{link}</code>
              <CopyButton text={link} what={field} />
            </div>
          </li>
        ))}
      </ul>
      <p className="quiet">
        Sessions that are created on this page have them at once. The experiment has them as environment variables, too, by the same names in capital letters.
      </p>
      {view.pendingSince !== null && <Pending instance={instance} since={view.pendingSince} />}
      {own.length > 0 && (
        <p>
          The project says something else in{' '}
          {own.map(({ file, line, text }) => (
            <span key={`${file}:${line}`} className="block">
              <code>
                {file}:{line} {text}
              </code>
            </span>
          ))}
          What stands here takes its place: you typed it last.
        </p>
      )}
      {elsewhere.map(({ field, room: from }) => (
        <p key={field} className="tone-amber">
          Sessions made in oTree’s own admin get the <code>{field}</code> of the room {from}, which was saved last. Create the session here to get this room’s.
        </p>
      ))}
    </FactGroup>
  );
}

function Pending({ instance, since }: { instance: InstanceView; since: string }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  return (
    <Message warning role="status">
      <p>
        Links were changed <Ago at={since} />. Sessions that you make in oTree’s own admin have them after a restart.
      </p>
      {canOnInstance(instance.standing, 'instance.set-environment') && (
        <Button type="button" basic disabled={instance.job !== null} onClick={() => setAsked(true)}>
          Restart to apply…
        </Button>
      )}
      {isAsked && <ConfirmAction kind="set-environment" instance={instance} onClose={close} onStarted={close} />}
    </Message>
  );
}
