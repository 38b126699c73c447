// The question before a room of the panel is removed.

import { useState, type FormEvent, type ReactNode } from 'react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { ApiError } from '../api.ts';
import { useRemoveRoom } from '../rooms.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

type Props = { instance: InstanceView; room: RoomView; onClose: () => void };

export function RemoveRoom({ instance, room, onClose }: Props): ReactNode {
  const [since, setSince] = useState(room.edited?.at ?? '');
  const remove = useRemoveRoom(instance.name, room.name);
  const code = remove.error instanceof ApiError ? remove.error.code : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (remove.isPending) return;
    const wish = { since: code === 'room_changed' ? (room.edited?.at ?? since) : since, isConfirmed: code === 'people_on_seats' };
    setSince(wish.since);
    remove.mutate(wish, {
      onSuccess: () => {
        showToast(room.edited?.isReplacing ? 'The room is again as settings.py has it.' : 'The room is removed.');
        onClose();
      },
    });
  };
  return (
    <Dialog title={`Remove the room ${room.displayName}?`} isDangerous onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <p>
            {room.edited?.isReplacing
              ? 'The room of settings.py takes its place again, with its own labels and links.'
              : 'Its Lobby and its links lead nowhere from then on.'}
          </p>
          <p>Sessions and data stay as they are. {room.sessionCode !== null && `Session ${room.sessionCode} is open in this room: who plays goes on.`}</p>
          {remove.error && <ProblemMessage error={remove.error} />}
        </div>
        <DialogActions
          form={{ isPending: remove.isPending, problem: null }}
          verb={code === 'people_on_seats' ? 'Remove it all the same' : 'Remove room'}
          isDangerous
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
