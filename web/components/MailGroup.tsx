// The mail server on the System page: what is set, how the last mail went, and a mail to oneself.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { MailState } from '../../contracts/system.ts';
import { send, type ApiError } from '../api.ts';
import type { Look } from '../looks.ts';
import { useMailState, useMe } from '../panel.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { Sign } from './Sign.tsx';

export function MailGroup(): ReactNode {
  return (
    <FactGroup title="Mail">
      <Answer query={useMailState()}>{(mail) => (mail.isConfigured ? <Configured mail={mail} /> : <Off />)}</Answer>
    </FactGroup>
  );
}

const Off = (): ReactNode => (
  <p>
    No mail server is set: invitations and links to a new password are handed over by lab managers. To send mails, start the panel with <code>SMTP_URL</code>,{' '}
    <code>MAIL_FROM</code> and <code>PUBLIC_URL</code>.
  </p>
);

const sent: Look = { word: 'sent', icon: 'check circle', tone: 'moss' };
const failed: Look = { word: 'not sent', icon: 'times circle', tone: 'brick' };

function Configured({ mail }: { mail: MailState }): ReactNode {
  const client = useQueryClient();
  const email = useMe().data?.person.email ?? '';
  const test = useMutation<unknown, ApiError>({
    mutationFn: () => send('/system/test-mail', { method: 'POST', body: {} }),
    onSuccess: () => showToast(`The mail server has taken a mail to ${email}.`),
    onSettled: () => client.invalidateQueries({ queryKey: ['mail'] }),
  });
  return (
    <>
      <FactList>
        <Fact name="Mail server">
          <code>{mail.server}</code>
        </Fact>
        <Fact name="Sender">{mail.from}</Fact>
        <Fact name="Last mail">
          {mail.last === null ? (
            'none yet'
          ) : (
            <>
              <Sign look={mail.last.isSent ? sent : failed} /> “{mail.last.subject}”, <Ago at={mail.last.at} />
              {mail.last.problem !== null && <small className="tone-brick">{mail.last.problem}</small>}
            </>
          )}
        </Fact>
      </FactList>
      {test.error && <ProblemMessage error={test.error} />}
      <Button type="button" basic loading={test.isPending} disabled={test.isPending} onClick={() => test.mutate()}>
        Send a test mail to me
      </Button>
    </>
  );
}
