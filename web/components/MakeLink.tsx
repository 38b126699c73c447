// The dialog that makes a one-time link for a person, mailed or to hand over.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { PersonView } from '../../contracts/people.ts';
import { usePanel } from '../panel.ts';
import { useMakeLink } from '../people.ts';
import { Dialog } from './Dialog.tsx';
import { HandLink } from './HandLink.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

export function MakeLink({
  person,
  onClose,
}: {
  person: Pick<PersonView, 'id' | 'name' | 'email' | 'isInvited' | 'linkExpiresAt'>;
  onClose: () => void;
}): ReactNode {
  const make = useMakeLink();
  const hasMail = usePanel().data?.hasMail ?? false;
  const start = (isMailed: boolean): void => {
    if (!make.isPending) make.mutate({ id: person.id, isMailed });
  };
  if (make.data) return <HandLink key="link" name={person.name} email={person.email} link={make.data} onClose={onClose} />;
  return (
    <Dialog key="question" title={person.isInvited ? `A new invitation for ${person.name}?` : `A new password for ${person.name}?`} onClose={onClose}>
      <div className="content">
        <p>
          {person.isInvited
            ? 'The link lets this person choose a password and sign in. It is good for 7 days.'
            : 'The link lets this person choose a new password. It is good for 24 hours; until it is used, the present password works.'}
        </p>
        {person.linkExpiresAt !== null && <p>The link that was made before stops working.</p>}
        {make.error && <ProblemMessage error={make.error} />}
      </div>
      <div className="actions">
        <Button type="button" basic data-first-focus onClick={onClose}>
          Cancel
        </Button>
        {hasMail && (
          <Button type="button" basic disabled={make.isPending} onClick={() => start(true)}>
            Send by mail
          </Button>
        )}
        <Button type="button" primary loading={make.isPending} disabled={make.isPending} onClick={() => start(false)}>
          Make a link
        </Button>
      </div>
    </Dialog>
  );
}
