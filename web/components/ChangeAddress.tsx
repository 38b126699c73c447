// The dialog that gives an instance another address: what can be chosen here, and what the choice does.

import { useId, useState, type ReactNode } from 'react';
import { Message } from 'semantic-ui-react';
import { addressWords, hostNameSchema, type AddressMode, type InstanceAddresses } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { startJobSchema, type StartJob } from '../../contracts/jobs.ts';
import { ApiError } from '../api.ts';
import { describePeople } from '../consequences.ts';
import { useForm, type Form } from '../form.ts';
import { isDeployed } from '../instance-actions.ts';
import { addressMeanings, describeAddressChange } from '../instance-addresses.ts';
import { useStartJob } from '../jobs.ts';
import { CopyButton } from './CopyButton.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { instance: InstanceView; addresses: InstanceAddresses; onClose: () => void };
type Wish = { mode: string; hostName: string; keepsOld: string; reason: string };
const kept = 'yes';
const nothing: Wish = { mode: '', hostName: '', keepsOld: kept, reason: '' };

const normal = (hostName: string): string => hostNameSchema.safeParse(hostName).data ?? '';

export function ChangeAddress({ instance, addresses, onClose }: Props): ReactNode {
  const start = useStartJob(instance.name);
  /** A name of which the reader has been told that it does not lead here yet. */
  const [knownName, setKnownName] = useState('');
  const form = useForm({
    schema: startJobSchema,
    initial: nothing,
    toBody: (values) => bodyOf(values, knownName),
    send: (body: StartJob) =>
      start.mutateAsync(body).catch((error: unknown) => {
        if (error instanceof ApiError && error.code === 'host_name_elsewhere' && 'hostName' in body) setKnownName(body.hostName ?? '');
        throw error;
      }),
    onDone: onClose,
  });
  const { mode, hostName, reason } = form.values;
  const choice = addresses.choices.find((one) => one.mode === mode);
  const people = instance.now.participantsInSession ?? 0;
  const needsReason = people > 0 || form.problem?.code === 'people_in_session';
  const isWarned = knownName !== '' && knownName === normal(hostName) && mode === 'host';
  const isReady = choice !== undefined && (mode !== 'host' || hostName.trim() !== '') && (!needsReason || reason.trim() !== '');
  return (
    <Dialog title={`Change the address of ${instance.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <Kinds form={form} addresses={addresses} />
          <p className="quiet">
            <a href="/help/addresses" target="_blank" rel="noopener">
              Which kind for whom ↗
            </a>
          </p>
          {mode === 'host' && (
            <TextField form={form} name="hostName" label="Host name" isCode hint="The whole name, for example study.psychology.university.edu." />
          )}
          {isWarned && form.problem && <NotHereYet problem={form.problem} />}
          <KeepOld form={form} url={addresses.present.url} />
          {choice && <Consequences instance={instance} from={addresses.present.url} choice={choice} keepsOld={form.values.keepsOld === kept} />}
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint="The reason is kept with the job." />}
          {form.problem && form.problem.code !== 'host_name_elsewhere' && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb={isWarned ? 'Change it all the same' : 'Change address'} isReady={isReady} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

type Chosen = { instance: InstanceView; from: string; choice: InstanceAddresses['choices'][number]; keepsOld: boolean };

function Consequences({ instance, from, choice, keepsOld }: Chosen): ReactNode {
  const hasProject = isDeployed(instance);
  const people = instance.now.participantsInSession ?? 0;
  return (
    <>
      {hasProject && (
        <p className={people > 0 ? 'facts-now tone-amber' : 'facts-now'}>{describePeople(instance.now.participantsInSession, instance.now.sessionsInUse)}.</p>
      )}
      {describeAddressChange({ from, choice, keepsOld, people, hasProject }).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </>
  );
}

function bodyOf({ mode, hostName, keepsOld, reason }: Wish, knownName: string): unknown {
  return {
    kind: 'change-address',
    mode,
    keepsOld: keepsOld === kept,
    ...(mode === 'host' ? { hostName, ...(knownName !== '' && knownName === normal(hostName) ? { isConfirmed: true } : {}) } : {}),
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
}

/** Every kind with what it would give; those that cannot be had say why. */
function Kinds({ form, addresses }: { form: Form<Wish>; addresses: InstanceAddresses }): ReactNode {
  const id = useId();
  const whyNotNow = (choice: InstanceAddresses['choices'][number]): string | null =>
    choice.mode === addresses.present.mode && choice.mode !== 'host' ? 'It has this one now.' : choice.whyNot === null ? null : `Not here: ${choice.whyNot}`;
  const first = addresses.choices.find((choice) => whyNotNow(choice) === null);
  return (
    <fieldset className="choices" aria-label="Kind of address">
      {addresses.choices.map((choice) => {
        const whyNot = whyNotNow(choice);
        const own = `${id}-${choice.mode}`;
        return (
          <div key={choice.mode} className="choice">
            <input
              id={own}
              type="radio"
              name="mode"
              value={choice.mode}
              checked={form.values.mode === choice.mode}
              disabled={whyNot !== null}
              aria-describedby={`${own}-means`}
              {...(choice === first ? { 'data-first-focus': true } : {})}
              onChange={() => form.set('mode', choice.mode)}
            />
            <label htmlFor={own}>{titleOf(choice.mode)}</label>
            <span id={`${own}-means`} className="quiet">
              {choice.url !== null && <code className="given-address">{choice.url}</code>} {whyNot ?? addressMeanings[choice.mode]}
            </span>
          </div>
        );
      })}
    </fieldset>
  );
}

const titleOf = (mode: AddressMode): string => addressWords[mode].charAt(0).toUpperCase() + addressWords[mode].slice(1);

function KeepOld({ form, url }: { form: Form<Wish>; url: string }): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label className="switch" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={form.values.keepsOld === kept}
          aria-describedby={`${id}-hint`}
          onChange={(event) => form.set('keepsOld', event.target.checked ? kept : '')}
        />{' '}
        Keep the old address: it leads to the new one
      </label>
      <p className="hint" id={`${id}-hint`}>
        {form.values.keepsOld === kept ? `You can give ${url} up later.` : `${url} leads nowhere as soon as the new one works.`}
      </p>
    </div>
  );
}

function NotHereYet({ problem }: { problem: ApiError }): ReactNode {
  return (
    <Message warning role="alert">
      <Message.Header>{problem.message}</Message.Header>
      <p>Send this to the IT department. You can change the address now; it works as soon as they have made the entry.</p>
      <p className="handed-link">
        <code>{problem.hint}</code> <CopyButton what="the text for the IT department" text={problem.hint} />
      </p>
    </Message>
  );
}
