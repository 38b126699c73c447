// The dialog that gives an instance to another owner.

import { useId, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { InstanceView } from '../../contracts/instances.ts';
import { handOverSchema } from '../../contracts/shares.ts';
import { useForm } from '../form.ts';
import { useHandOver } from '../instance-people.ts';
import { useMe } from '../panel.ts';
import { ownerMeans } from '../share-words.ts';
import { showToast } from '../toasts.ts';
import { ColleagueField } from './ColleagueField.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

export function HandOver({ instance, onClose }: { instance: InstanceView; onClose: () => void }): ReactNode {
  const act = useHandOver(instance.name);
  const navigate = useNavigate();
  const keepId = useId();
  const isMine = useMe().data?.person.id === instance.owner.id;
  const form = useForm({
    schema: handOverSchema,
    initial: { login: '', keepsOperate: 'yes' },
    toBody: ({ login, keepsOperate }) => ({ login, keepsOperate: keepsOperate === 'yes' }),
    send: (body) => act.mutateAsync(body),
    onDone: () => {
      showToast(`${instance.name} has a new owner.`);
      const isLost = isMine && instance.standing !== 'manager' && form.values.keepsOperate !== 'yes';
      onClose();
      if (isLost) void navigate('/');
    },
  });
  return (
    <Dialog title={`Hand ${instance.name} over?`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p>The new owner {ownerMeans}. The experiment and its data stay as they are.</p>
          <ColleagueField form={form} label="New owner" leaveOutIds={[instance.owner.id]} />
          <div className="field tick">
            <input
              id={keepId}
              type="checkbox"
              checked={form.values.keepsOperate === 'yes'}
              onChange={(event) => form.set('keepsOperate', event.target.checked ? 'yes' : 'no')}
            />
            <label htmlFor={keepId}>{isMine ? 'I go on' : `${instance.owner.name} goes on`} operating it: Lobby and sessions, no pushes</label>
          </div>
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Hand over" isReady={form.values.login.trim() !== ''} isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
