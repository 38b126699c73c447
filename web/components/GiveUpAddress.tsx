// The question before an address of before is given up.

import type { ReactNode } from 'react';
import { giveUpAddressQuery, type InstanceAddresses } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { describePeople } from '../consequences.ts';
import { useForm } from '../form.ts';
import { isDeployed } from '../instance-actions.ts';
import { useGiveUpAddress } from '../instance-addresses.ts';
import { Dialog } from './Dialog.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { TextField } from './TextField.tsx';

export type FormerAddress = InstanceAddresses['former'][number];
type Props = { instance: InstanceView; former: FormerAddress; onClose: () => void };

export function GiveUpAddress({ instance, former, onClose }: Props): ReactNode {
  const giveUp = useGiveUpAddress(instance.name);
  const form = useForm({
    schema: giveUpAddressQuery,
    initial: { reason: '' },
    send: ({ reason = '' }) => giveUp.mutateAsync({ id: former.id, reason }),
    onDone: onClose,
  });
  const people = instance.now.participantsInSession ?? 0;
  const needsReason = people > 0 || form.problem?.code === 'people_in_session';
  return (
    <Dialog title="Give up this address?" isDangerous onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p>
            <code>{former.url}</code>
          </p>
          {isDeployed(instance) && (
            <p className={people > 0 ? 'facts-now tone-amber' : 'facts-now'}>
              {describePeople(instance.now.participantsInSession, instance.now.sessionsInUse)}.
            </p>
          )}
          <p>Links and printed sheets with this address lead nowhere from then on. Who still uses it in a session finds nobody with the next click.</p>
          <p>It is free then: {former.mode === 'port' ? 'the next instance with a port may get it.' : 'another instance may be given it.'}</p>
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint="The reason is recorded." />}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions
          form={form}
          verb="Give up this address"
          isDangerous
          isReady={!needsReason || form.values.reason.trim() !== ''}
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
