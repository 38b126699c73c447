// The dialogs that replace or remove an SSH key.

import type { FormEvent, ReactNode } from 'react';
import type { SshKeyView } from '../../contracts/people.ts';
import { useRefreshKeys, useRemoveKey } from '../people.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { KeyFields, useKeyForm } from './KeyForm.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

export type KeyChange = { readonly kind: 'replace' | 'remove'; readonly key: SshKeyView };
type Props = { change: KeyChange; onClose: () => void };

export function ChangeKey({ change, onClose }: Props): ReactNode {
  return change.kind === 'replace' ? <ReplaceKey sshKey={change.key} onClose={onClose} /> : <RemoveKey sshKey={change.key} onClose={onClose} />;
}

function RemoveKey({ sshKey, onClose }: { sshKey: SshKeyView; onClose: () => void }): ReactNode {
  const remove = useRemoveKey();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (remove.isPending) return;
    remove.mutate(sshKey.id, {
      onSuccess: () => {
        showToast(`The key “${sshKey.name}” is removed.`);
        onClose();
      },
    });
  };
  return (
    <Dialog title={`Remove ${sshKey.name}?`} isDangerous onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <p>From the next command on, git refuses this key. What has been pushed stays.</p>
          <p>
            <code className="breaks">{sshKey.fingerprint}</code>
          </p>
          {remove.error && <ProblemMessage error={remove.error} />}
        </div>
        <DialogActions form={{ isPending: remove.isPending, problem: null }} verb="Remove key" isDangerous isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}

/** The new key goes in first, then the old one out: a refused new key leaves the old one as it is. */
function ReplaceKey({ sshKey, onClose }: { sshKey: SshKeyView; onClose: () => void }): ReactNode {
  const remove = useRemoveKey();
  const refresh = useRefreshKeys();
  const form = useKeyForm(() => {
    void refresh();
    remove.mutate(sshKey.id, {
      onSuccess: () => {
        showToast('The new key is in place; the old one is removed.');
        onClose();
      },
    });
  });
  return (
    <Dialog title={`Replace ${sshKey.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p>As soon as the new key is accepted, the old one is refused.</p>
          <KeyFields form={form} isFirst />
          {form.problem && <ProblemMessage error={form.problem} />}
          {remove.error && <ProblemMessage error={remove.error} />}
        </div>
        <DialogActions form={{ isPending: form.isPending || remove.isPending, problem: null }} verb="Replace key" onCancel={onClose} />
      </form>
    </Dialog>
  );
}
