// The question before a backup is deleted.

import type { FormEvent, ReactNode } from 'react';
import type { BackupView } from '../../contracts/backups.ts';
import { useDeleteBackup } from '../backups.ts';
import { countOf } from '../numbers.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

export function DeleteBackup({ instanceName, backup, onClose }: { instanceName: string; backup: BackupView; onClose: () => void }): ReactNode {
  const remove = useDeleteBackup(instanceName);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (remove.isPending) return;
    remove.mutate(backup.id, {
      onSuccess: () => {
        showToast('The backup is deleted.');
        onClose();
      },
    });
  };
  return (
    <Dialog title="Delete this backup?" isDangerous onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <p>
            Taken <Ago at={backup.createdAt} /> ({backup.note === '' ? backup.reason : backup.note}): {countOf(backup.rows, 'row')}.
          </p>
          <p>Its file is removed from the panel and cannot be brought back. The data of the instance stay as they are.</p>
          {remove.error && <ProblemMessage error={remove.error} />}
        </div>
        <DialogActions form={{ isPending: remove.isPending, problem: null }} verb="Delete this backup" isDangerous isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
