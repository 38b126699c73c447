// The dialog that makes a room or changes it: what was typed stays, whoever else saved meanwhile.

import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { editRoomSchema, readLabels } from '../../contracts/rooms.ts';
import { ApiError } from '../api.ts';
import { useTens } from '../clock.ts';
import { useForm } from '../form.ts';
import { countOf } from '../numbers.ts';
import { useSaveRoom, type SavedRoom } from '../rooms.ts';
import { describeAgo } from '../times.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { FillLabels } from './FillLabels.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { instance: InstanceView; room: RoomView | null; onClose: () => void };
type Typed = { name: string; displayName: string; takes: string; labels: string; links: string };

const firstTyped = (room: RoomView | null): Typed => ({
  name: room?.name ?? '',
  displayName: room?.displayName ?? '',
  takes: room && room.labels === null ? 'any' : 'labels',
  labels: room?.labels?.join('\n') ?? '',
  links: room?.usesSecureUrls ? 'secure' : 'plain',
});

export function EditRoom({ instance, room, onClose }: Props): ReactNode {
  const save = useSaveRoom(instance.name);
  const [since] = useState(room?.edited?.at ?? null);
  /** What the server refused last: the next submit goes on knowingly. */
  const [refused, setRefused] = useState<string | null>(null);
  const nowOf = (name: string): RoomView | undefined => instance.rooms.find((other) => other.name === name.trim());
  const form = useForm({
    schema: editRoomSchema,
    initial: firstTyped(room),
    toBody: ({ name, displayName, takes, labels, links }: Typed) => ({
      name,
      displayName: displayName.trim() === '' ? name : displayName,
      labels: takes === 'any' ? null : labels,
      usesSecureUrls: takes === 'labels' && links === 'secure',
      since: refused === null ? since : (nowOf(name)?.edited?.at ?? null),
      ...(refused === 'people_on_seats' ? { isConfirmed: true } : {}),
    }),
    send: (body) =>
      save.mutateAsync(body).catch((error: unknown) => {
        setRefused(error instanceof ApiError && error.code in verbs ? error.code : null);
        throw error;
      }),
    onDone: (saved) => {
      tellSaved(saved, instance);
      onClose();
    },
  });
  const verb = verbs[refused ?? ''] ?? saveVerb;
  const hasLabels = form.values.takes === 'labels';
  return (
    <Dialog title={room ? `Edit the room ${room.displayName}` : `A new room in ${instance.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          {room?.edited === null && <p>This room stands in settings.py. What you save here takes its place, also after the next push.</p>}
          {room === null && (
            <TextField form={form} name="name" label="Name" term="room" isFirst isCode hint="Part of the address: letters, digits and underscores." />
          )}
          <TextField form={form} name="displayName" label="Title" hint="What participants read. Left empty, it is the name." />
          <Choice
            form={form}
            name="takes"
            label="Who may come in"
            options={[
              { value: 'labels', text: 'The labels of a list' },
              { value: 'any', text: 'Anybody; each computer gets the next number' },
            ]}
          />
          {hasLabels && (
            <>
              <FillLabels onFill={(text) => form.set('labels', text)} />
              <TextField
                form={form}
                name="labels"
                label="Labels"
                term="label"
                rows={6}
                isCode
                hint={`One per line. ${countOf(readLabels(form.values.labels).labels.length, 'label')}.`}
              />
              <Choice
                form={form}
                name="links"
                label="oTree’s links"
                term="secure-links"
                hint="Secure links carry a code that only this instance can make, so that nobody guesses a neighbour’s. The Lobby adds it by itself."
                options={[
                  { value: 'plain', text: 'Plain: the label is enough' },
                  { value: 'secure', text: 'Secure: label and code' },
                ]}
              />
            </>
          )}
          {form.problem && (
            <InView key={form.problem.code}>
              <ProblemMessage error={form.problem} />
              {form.problem.code === 'room_changed' && <Theirs room={nowOf(form.values.name)} />}
            </InView>
          )}
        </div>
        <DialogActions form={form} verb={verb} isDangerous={verb !== saveVerb} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

/** The form is longer than a small screen: what the server said must not stand below its edge. */
function InView({ children }: { children: ReactNode }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: 'center' }), []);
  return <div ref={box}>{children}</div>;
}

const saveVerb = 'Save room';
const verbs: Readonly<Record<string, string>> = { room_changed: 'Save mine over it', people_on_seats: 'Save all the same' };

function Theirs({ room }: { room: RoomView | undefined }): ReactNode {
  const nowMs = useTens();
  if (!room?.edited) return <p>The room is not in the panel any more. Saving makes it again.</p>;
  return (
    <p>
      {room.edited.byName} saved it {describeAgo(room.edited.at, nowMs)}: {room.labels === null ? 'any label' : countOf(room.labels.length, 'label')}
      {room.labels && room.labels.length > 0 && ` (${room.labels.slice(0, 3).join(', ')}${room.labels.length > 3 ? ' …' : ''})`}.
    </p>
  );
}

function tellSaved({ isApplied }: SavedRoom, { state }: InstanceView): void {
  if (!isApplied) return showToast('The room is saved. oTree hears of it as soon as the background worker answers.');
  showToast(state === 'running' ? 'The room is saved, and the running experiment knows it.' : 'The room is saved. It is there when the experiment starts.');
}
