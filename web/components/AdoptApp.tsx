// The dialog that takes over one app of the Dokku host: consequences first, then the name that it gets here.

import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { startAdoptionSchema, type ForeignAppView } from '../../contracts/adoptions.ts';
import { createdInstanceSchema, instanceNameSchema } from '../../contracts/instances.ts';
import { instancePath } from '../addresses.ts';
import { request } from '../api.ts';
import { useForm } from '../form.ts';
import { followJob } from '../jobs.ts';
import { useMe } from '../panel.ts';
import { useOwnerOptions } from '../people.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

export function AdoptApp({ app, onClose }: { app: ForeignAppView; onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useMe().data?.person;
  const owners = useOwnerOptions();
  const form = useForm({
    schema: startAdoptionSchema,
    initial: { name: nameFor(app), ownerId: me?.id ?? '', reason: '' },
    toBody: ({ name, ownerId, reason }) => ({ app: app.name, name, ownerId, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) }),
    send: (body) => request(createdInstanceSchema, '/adoptions', { method: 'POST', body }),
    onDone: ({ name, job }) => {
      followJob(client, job);
      void client.invalidateQueries({ queryKey: ['foreign-apps'] });
      void navigate(instancePath(name));
    },
  });
  const needsReason = form.problem?.code === 'people_in_session';
  return (
    <Dialog title={`Take over ${app.name}?`} isDangerous onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <Consequences app={app} />
          <TextField form={form} name="name" label="Name of the instance" isCode hint="It becomes part of the new address and of the git remote." />
          {owners.length > 0 && <Choice form={form} name="ownerId" label="Owner" options={owners} />}
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint="The reason is kept with the job." />}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions
          form={form}
          verb="Take over"
          isDangerous
          isReady={form.values.name.trim() !== '' && (!needsReason || form.values.reason.trim() !== '')}
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}

/** Its own name, where that is no name of the address that it keeps. */
const nameFor = ({ name, hostNames }: ForeignAppView): string =>
  instanceNameSchema.safeParse(name).success && !hostNames.some((host) => host.startsWith(`${name}.`)) ? name : '';

function Consequences({ app }: { app: ForeignAppView }): ReactNode {
  const addresses = app.hostNames.join(', ');
  return (
    <>
      <p className="facts-now">{app.isRunning ? 'It is running now.' : 'It is not running now.'}</p>
      <p>
        {app.isRunning ? 'It stops, and stays on the host with its data' : 'It stays on the host with its data'}
        {addresses === '' ? '.' : ` and its addresses: ${addresses}.`} Nothing of it is deleted.
      </p>
      <p>A backup of its data is made and checked first. Without it nothing goes on, and the app is started again.</p>
      <p>Participants need the new address, and links of rooms with secure URLs must be handed out anew.</p>
    </>
  );
}
