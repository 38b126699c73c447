// The button that takes a host that is down from the list, and the question before.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { z } from 'zod';
import type { SwarmHostView } from '../../contracts/hosts.ts';
import { useForm } from '../form.ts';
import { removalSentences, useRemoveHost } from '../hosts.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

type Props = { host: SwarmHostView };

export function RemoveHost({ host }: Props): ReactNode {
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <Button type="button" basic compact onClick={() => setAsked(true)}>
        Remove…
      </Button>
      {isAsked && <Question host={host} onClose={() => setAsked(false)} />}
    </>
  );
}

function Question({ host, onClose }: Props & { onClose: () => void }): ReactNode {
  const remove = useRemoveHost(host);
  const form = useForm({
    schema: z.strictObject({}),
    initial: {},
    send: () => remove.mutateAsync(),
    onDone: () => {
      showToast(`${host.name} is no host any more.`);
      onClose();
    },
  });
  return (
    <Dialog title={`Remove ${host.name} from the list?`} isDangerous onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p className="facts-now">
            It is down
            {host.awaySince !== null && (
              <>
                {' '}
                since <Ago at={host.awaySince} />
              </>
            )}
            .
          </p>
          {removalSentences.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Remove this host" isDangerous isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
