// The question before an account is disabled.

import type { FormEvent, ReactNode } from 'react';
import type { PersonView } from '../../contracts/people.ts';
import { countOf } from '../numbers.ts';
import { useChangePerson } from '../people.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

export function DisablePerson({ person, onClose }: { person: PersonView; onClose: () => void }): ReactNode {
  const change = useChangePerson();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (change.isPending) return;
    change.mutate(
      { id: person.id, isDisabled: true },
      {
        onSuccess: () => {
          showToast(`${person.name} may not sign in any more.`);
          onClose();
        },
      },
    );
  };
  return (
    <Dialog title={`Disable ${person.name}?`} isDangerous onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <p>{person.name} is signed out everywhere and may neither sign in nor push. You can enable the account again at any time.</p>
          {person.instances > 0 && <p>{countOf(person.instances, 'instance')} of this person go on running; lab managers look after them.</p>}
          {change.error && <ProblemMessage error={change.error} />}
        </div>
        <DialogActions form={{ isPending: change.isPending, problem: null }} verb="Disable" isDangerous isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
