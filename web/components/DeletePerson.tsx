// The question before an account is deleted.

import type { FormEvent, ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { PersonView } from '../../contracts/people.ts';
import { instancePath } from '../addresses.ts';
import { useInstances } from '../instances.ts';
import { countOf } from '../numbers.ts';
import { useDeletePerson } from '../people.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

export function DeletePerson({ person, onClose }: { person: PersonView; onClose: () => void }): ReactNode {
  const remove = useDeletePerson();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (remove.isPending) return;
    remove.mutate(person.id, {
      onSuccess: () => {
        showToast(`${person.name} is deleted.`);
        onClose();
      },
    });
  };
  if (person.instances > 0) return <StillOwner person={person} onClose={onClose} />;
  return (
    <Dialog title={`Delete ${person.name}?`} isDangerous onClose={onClose}>
      <form onSubmit={submit}>
        <div className="content">
          <p>{person.name} is signed out everywhere. The account goes with its SSH keys, shares and links, and does not come back.</p>
          <p>What this person did stays in the records.</p>
          {remove.error && <ProblemMessage error={remove.error} />}
        </div>
        <DialogActions form={{ isPending: remove.isPending, problem: null }} verb="Delete person" isDangerous isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}

/** Names what has to be handed over first. */
function StillOwner({ person, onClose }: { person: PersonView; onClose: () => void }): ReactNode {
  const own = useInstances(new URLSearchParams({ owner: person.id }).toString()).data?.instances ?? [];
  return (
    <Dialog title={`${person.name} owns ${countOf(person.instances, 'instance')}`} onClose={onClose}>
      <div className="content">
        <p>An account that owns instances is not deleted, because nobody would look after them:</p>
        <ul>
          {own.map(({ id, name }) => (
            <li key={id}>
              <Link to={instancePath(name, 'people')}>{name}</Link>
            </li>
          ))}
        </ul>
        <p>Hand them over to somebody else, or delete them. Until then you can disable the account: nobody signs in with it any more.</p>
      </div>
      <div className="actions">
        <Button type="button" basic data-first-focus onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}
