// A one-time link to hand over: shown once, to be copied, with what became of its mail.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { LinkView } from '../../contracts/people.ts';
import { describeExactly } from '../times.ts';
import { CopyButton } from './CopyButton.tsx';
import { Dialog } from './Dialog.tsx';

type Props = { name: string; email: string; link: LinkView; onClose: () => void };

export function HandLink({ name, email, link, onClose }: Props): ReactNode {
  const isInvitation = link.purpose === 'invitation';
  return (
    <Dialog title={isInvitation ? `${name} is invited` : `A new password for ${name}`} onClose={onClose}>
      <div className="content">
        <p>{describeMail(link, email)}</p>
        <div className="handed-link">
          <code>{link.url}</code>
          <CopyButton text={link.url} what="link" />
        </div>
        <p className="quiet">
          It works once, until {describeExactly(link.expiresAt)}, and it is shown only here. Whoever has it gets the account. A new link replaces it.
        </p>
      </div>
      <div className="actions">
        <Button type="button" primary data-first-focus onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

function describeMail({ mail }: LinkView, email: string): string {
  if (mail === 'sent') return `This link is on its way to ${email}.`;
  if (mail === 'failed') return `The mail to ${email} could not be sent (the System page says why). Here is the link: hand it over yourself.`;
  return 'Hand over this link in person, or by a message that only this person reads.';
}
