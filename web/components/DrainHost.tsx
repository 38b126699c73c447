// The buttons that empty a host for maintenance, keep one that is down empty, or let it take instances again, and the question before.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { drainHostSchema, type DrainHost as Drain, type SwarmHostView } from '../../contracts/hosts.ts';
import { useForm } from '../form.ts';
import { describeDrain, useChangeHost } from '../hosts.ts';
import { countOf } from '../numbers.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { host: SwarmHostView };

export function ChangeHost({ host }: Props): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const change = useChangeHost(host);
  const isDown = host.state === 'down';
  const activate = (): void =>
    change.mutate(null, {
      onSuccess: () => showToast(isDown ? `${host.name} takes instances when it is back.` : `${host.name} takes instances again.`),
      onError: (error) => showToast(error.message, 'brick'),
    });
  if (!host.takesInstances) {
    return (
      <Button type="button" basic compact loading={change.isPending} disabled={change.isPending} onClick={activate}>
        {'Use\u00a0again'}
      </Button>
    );
  }
  return (
    <>
      <Button type="button" basic compact onClick={() => setAsked(true)}>
        {isDown ? 'Keep\u00a0empty…' : 'Empty…'}
      </Button>
      {isAsked && <DrainHost host={host} onClose={() => setAsked(false)} />}
    </>
  );
}

function DrainHost({ host, onClose }: Props & { onClose: () => void }): ReactNode {
  const { title, facts, sentences, people, verb } = describeDrain(host);
  const change = useChangeHost(host);
  const form = useForm({
    schema: drainHostSchema,
    initial: { reason: '' },
    toBody: ({ reason }) => (reason.trim() === '' ? {} : { reason: reason.trim() }),
    send: (body: Drain) => change.mutateAsync(body),
    onDone: () => {
      showToast(host.state === 'down' ? `${host.name} takes no instances when it is back.` : `${host.name} takes no instances any more.`);
      onClose();
    },
  });
  const needsReason = people > 0 || form.problem?.code === 'people_in_session';
  return (
    <Dialog title={title} isDangerous={needsReason} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p className={needsReason ? 'facts-now tone-amber' : 'facts-now'}>{facts}</p>
          {sentences.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {needsReason && (
            <TextField form={form} name="reason" label="Why now?" hint={`${countOf(people, 'person', 'people')} in a session here. The reason is recorded.`} />
          )}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions
          form={form}
          verb={verb}
          isDangerous={needsReason}
          isReady={!needsReason || form.values.reason.trim() !== ''}
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
