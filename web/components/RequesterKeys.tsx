// MTurk requester keys: one's own are entered once, tried, and set for this instance with one restart.

import { useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import { putRequesterKeySchema, requesterVariables, type MturkMode } from '../../contracts/requester-keys.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useEnvironment } from '../environment.ts';
import { useForm } from '../form.ts';
import { useForgetRequesterKey, useGiveRequesterKey, useRequesterKey, useSaveRequesterKey, useTryRequesterKey } from '../requester-keys.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { ConfirmAction } from './ConfirmAction.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { instance: InstanceView; mode: MturkMode };

export function RequesterKeys({ instance, mode }: Props): ReactNode {
  const query = useRequesterKey();
  return (
    <FactGroup title="Requester keys">
      <p className={mode === 'live' ? 'tone-brick' : 'tone-sky'}>
        <Glyph name={mode === 'live' ? 'dollar sign' : 'flask'} />
        <strong>{mode === 'live' ? 'Live: real workers are paid real money.' : 'Sandbox: nobody is paid.'}</strong>
      </p>
      <p>
        oTree publishes with the keys of your requester account. They are yours: kept encrypted, and nobody else can use them here. Once set for an instance,
        its owner can read them among its variables.
      </p>
      <Answer query={query}>{({ key }) => (key === null ? <EnterKeys /> : <OwnKeys instance={instance} mode={mode} ownKey={key} />)}</Answer>
      {canOnInstance(instance.standing, 'instance.read-environment') && <InInstance instance={instance} hasOwn={query.data?.key != null} />}
    </FactGroup>
  );
}

function EnterKeys(): ReactNode {
  const save = useSaveRequesterKey();
  const form = useForm({
    schema: putRequesterKeySchema,
    initial: { accessKeyId: '', secretAccessKey: '' },
    send: (body) => save.mutateAsync(body),
    onDone: () => showToast('The keys are kept.'),
  });
  return (
    <form className="ui form" onSubmit={form.submit} aria-label="Requester keys">
      <div className="fields-in-two">
        <TextField form={form} name="accessKeyId" isCode label="Access key id" hint="In AWS under Security credentials." />
        <TextField form={form} name="secretAccessKey" isCode type="password" label="Secret access key" hint="AWS shows it once, when the key is made." />
      </div>
      <SubmitBar form={form} verb="Keep the keys" />
    </form>
  );
}

function OwnKeys({ mode, ownKey }: Props & { ownKey: { accessKeyId: string; updatedAt: string } }): ReactNode {
  const attempt = useTryRequesterKey();
  const forget = useForgetRequesterKey();
  return (
    <>
      <p>
        Yours: <code>{ownKey.accessKeyId}</code>, entered <Ago at={ownKey.updatedAt} />.
      </p>
      <Button type="button" basic loading={attempt.isPending} disabled={attempt.isPending} onClick={() => attempt.mutate(mode)}>
        Try them {mode === 'live' ? 'on MTurk' : 'in the sandbox'}
      </Button>
      <Button type="button" basic disabled={forget.isPending} onClick={() => forget.mutate()}>
        Forget them
      </Button>
      {attempt.data && (
        <p role="status" className={attempt.data.isWell ? 'tone-moss' : 'tone-amber'}>
          <Glyph name={attempt.data.isWell ? 'check circle' : 'exclamation triangle'} />
          {attempt.data.sentence} <span className="block quiet">{attempt.data.hint}</span>
        </p>
      )}
      {(attempt.error ?? forget.error) && <ProblemMessage error={attempt.error ?? forget.error ?? new Error()} />}
    </>
  );
}

function InInstance({ instance, hasOwn }: { instance: InstanceView; hasOwn: boolean }): ReactNode {
  const environment = useEnvironment(instance.name, instance.job !== null);
  const give = useGiveRequesterKey(instance.name);
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  return (
    <Answer query={environment}>
      {({ variables, pendingSince }) => {
        const set = variables.find(({ name }) => name === requesterVariables.secretAccessKey);
        return (
          <div className="in-instance">
            <p>
              {set ? (
                <>
                  {instance.name} has keys that {set.updatedByName} set <Ago at={set.updatedAt} />. They are among its environment variables.
                </>
              ) : (
                `${instance.name} has no keys yet: oTree’s MTurk page asks for them.`
              )}
            </p>
            <Button type="button" primary={!set} basic={set !== undefined} disabled={!hasOwn || give.isPending} onClick={() => give.mutate()}>
              Set mine for {instance.name}
            </Button>
            {give.error && <ProblemMessage error={give.error} />}
            {set && pendingSince !== null && (
              <Message warning role="status">
                <p>The running experiment has them after a restart.</p>
                <Button type="button" basic disabled={instance.job !== null} onClick={() => setAsked(true)}>
                  Restart to apply…
                </Button>
              </Message>
            )}
            {isAsked && <ConfirmAction kind="set-environment" instance={instance} onClose={close} onStarted={close} />}
          </div>
        );
      }}
    </Answer>
  );
}
