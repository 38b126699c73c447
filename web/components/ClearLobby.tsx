// The button and the question that make a Lobby ready for the next session.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { instanceApi } from '../addresses.ts';
import { send } from '../api.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

type Props = { instance: InstanceView; room: RoomView };

export function ClearLobby({ instance, room }: Props): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const clear = useMutation({
    mutationFn: () => send(instanceApi(instance.name, `/rooms/${encodeURIComponent(room.name)}/seats`), { method: 'DELETE' }),
    networkMode: 'always',
    onSuccess: () => {
      setAsked(false);
      showToast('The Lobby is clear. Who sits down now clicks again.');
      void client.invalidateQueries({ queryKey: ['seats', instance.id, room.name] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!clear.isPending) clear.mutate();
  };
  return (
    <>
      <Button type="button" basic compact onClick={() => setAsked(true)}>
        Clear the Lobby…
      </Button>
      {isAsked && (
        <Dialog title={`Clear the Lobby of ${room.displayName}?`} onClose={() => setAsked(false)}>
          <form onSubmit={submit}>
            <div className="content">
              <p>Every seat is free again and nobody counts as ready: for the next group of people.</p>
              <p>Who is in the experiment stays there, and the data stay as they are.</p>
              {clear.error && <ProblemMessage error={clear.error} />}
            </div>
            <DialogActions form={{ isPending: clear.isPending, problem: null }} verb="Clear the Lobby" isCancelFirst onCancel={() => setAsked(false)} />
          </form>
        </Dialog>
      )}
    </>
  );
}
