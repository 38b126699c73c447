// A room with labels or secure links turns away people whose ids nobody knows before: found, and changed for this room with one click.

import { useState, type FormEvent, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import type { RoomRecruitment } from '../../contracts/recruiting-view.ts';
import { ApiError } from '../api.ts';
import { countOf } from '../numbers.ts';
import { useSaveRoom } from '../rooms.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

type Props = { instance: InstanceView; room: RoomRecruitment };

export function OpenDoor({ instance, room }: Props): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const mayChange = canOnInstance(instance.standing, 'instance.change');
  return (
    <Message warning>
      <Message.Header>
        <Glyph name="exclamation triangle" /> This room turns people away
      </Message.Header>
      <p>
        It takes only {countOf(room.labelCount ?? 0, 'label')} of a list{room.usesSecureUrls && ', by secure links'}. People who are recruited on the web come
        with ids that nobody knows before.
      </p>
      {mayChange ? (
        <Button type="button" primary onClick={() => setAsked(true)}>
          Let the room take any label…
        </Button>
      ) : (
        <p>Ask the owner of this instance to change it.</p>
      )}
      {isAsked && <AskOpen instance={instance} room={room} onClose={() => setAsked(false)} />}
    </Message>
  );
}

function AskOpen({ instance, room, onClose }: Props & { onClose: () => void }): ReactNode {
  const save = useSaveRoom(instance.name);
  const isRefused = save.error instanceof ApiError && save.error.code === 'people_on_seats';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (save.isPending) return;
    const wish = { name: room.room, displayName: room.displayName, labels: null, usesSecureUrls: false, since: room.editedAt };
    save.mutate(isRefused ? { ...wish, isConfirmed: true } : wish, {
      onSuccess: ({ isApplied }) => {
        showToast(isApplied ? 'The room takes any label now.' : 'Saved. oTree hears of it as soon as the background worker answers.');
        onClose();
      },
    });
  };
  return (
    <Dialog title={`Let ${room.displayName} take any label?`} onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <table className="before-after">
            <thead>
              <tr>
                <th scope="col">Now</th>
                <th scope="col">Then</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <td>
                  <del>
                    {countOf(room.labelCount ?? 0, 'label')} of {room.editedAt === null ? <code>participant_label_file</code> : 'a list'}
                  </del>
                </td>
                <td>
                  <ins>any label</ins>
                </td>
              </tr>
              {room.usesSecureUrls && (
                <tr>
                  <td>
                    <del>secure links (use_secure_urls)</del>
                  </td>
                  <td>
                    <ins>plain links</ins>
                  </td>
                </tr>
              )}
            </tbody>
          </table>
          <p>
            {room.editedAt === null
              ? 'A room of the panel takes the place of the one in settings.py; your project is not touched. You can undo it under Rooms & Lobby.'
              : 'The list of labels goes from this room of the panel. Copy it from Rooms & Lobby first if you need it again.'}{' '}
            The running experiment knows it at once.
          </p>
          {save.error && <ProblemMessage error={save.error} />}
        </div>
        <DialogActions
          form={{ isPending: save.isPending, problem: null }}
          verb={isRefused ? 'Do it all the same' : 'Let it take any label'}
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
