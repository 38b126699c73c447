// The ways out when the models of a new version do not fit the database: empty it after a backup, or go on knowingly.

import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { Button } from 'semantic-ui-react';
import { startJobSchema, type JobView, type StartJob } from '../../contracts/jobs.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useTens } from '../clock.ts';
import { describeFacts, describePeople } from '../consequences.ts';
import { useForm } from '../form.ts';
import { useDeployments, useInstance } from '../instances.ts';
import { useStartJob } from '../jobs.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Choice = 'reset' | 'go-on';

/** Shown while this deployment is the newest one and nothing else is under way. @param job a deployment that failed with `schema_drift` */
export function DriftChoices({ job, name }: { job: JobView; name: string }): ReactNode {
  const instance = useInstance(name).data;
  const [newest] = useDeployments(name, false).data ?? [];
  const [asked, setAsked] = useState<Choice | null>(null);
  if (!instance || instance.job !== null || newest?.id !== job.deploymentId || !canOnInstance(instance.standing, 'instance.deploy')) return null;
  return (
    <div className="drift-choices">
      <p>Keep the old version (nothing to do: it runs on), or:</p>
      <Button type="button" basic negative onClick={() => setAsked('reset')}>
        <Glyph name="eraser" /> Back up and reset…
      </Button>
      <Button type="button" basic onClick={() => setAsked('go-on')}>
        <Glyph name="forward" /> Go on without…
      </Button>
      {asked !== null && <ConfirmDrift choice={asked} instance={instance} deploymentId={newest?.id ?? ''} onClose={() => setAsked(null)} />}
    </div>
  );
}

const words = {
  reset: {
    verb: 'Back up and reset',
    title: (name: string) => `Deploy on an empty database of ${name}?`,
    sentences: [
      'A backup is taken first and checked; without it nothing is deleted.',
      'Then all sessions, participants and answers are removed from this instance, and the new version starts with tables that fit.',
    ],
  },
  'go-on': {
    verb: 'Go on without',
    title: (name: string) => `Deploy to ${name} although the tables do not fit?`,
    sentences: [
      'The data stay as they are, and the new version starts on them.',
      'Every page that needs what the tables lack answers “server error” until the database is reset.',
    ],
  },
} as const;

type Props = { choice: Choice; instance: InstanceView; deploymentId: string; onClose: () => void };

function ConfirmDrift({ choice, instance, deploymentId, onClose }: Props): ReactNode {
  const start = useStartJob(instance.name);
  const navigate = useNavigate();
  const { verb, title, sentences } = words[choice];
  const isReset = choice === 'reset';
  const now = useTens();
  const form = useForm({
    schema: startJobSchema,
    initial: { confirm: '', reason: '' },
    toBody: ({ confirm, reason }) => ({
      kind: 'deploy' as const,
      deploymentId,
      onDrift: choice,
      ...(isReset ? { confirm: confirm.trim() } : {}),
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    }),
    send: (body: StartJob) => start.mutateAsync(body),
    onDone: (job) => {
      onClose();
      showToast(`${job.title} has begun.`);
      void navigate(`/instances/${instance.name}/deploy`);
    },
  });
  const people = instance.now.participantsInSession ?? 0;
  const needsReason = people > 0 || form.problem?.code === 'people_in_session';
  const isNamed = !isReset || form.values.confirm.trim() === instance.name;
  return (
    <Dialog title={title(instance.name)} isDangerous={isReset} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p className={people > 0 ? 'facts-now tone-amber' : 'facts-now'}>{describeFacts(instance, now)}</p>
          {sentences.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint={`${describePeople(people || null)}. The reason is kept with the job.`} />}
          {isReset && <TextField form={form} name="confirm" isCode label={`Type ${instance.name} to confirm`} />}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions
          form={form}
          verb={verb}
          isDangerous={isReset}
          isReady={isNamed && (!needsReason || form.values.reason.trim() !== '')}
          isCancelFirst
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
