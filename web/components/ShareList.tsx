// Whom an instance is shared with: what each may do, and taking it away again.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { addShareSchema, shareLevels, type InstancePeople } from '../../contracts/shares.ts';
import { useForm } from '../form.ts';
import { useAddShare, useChangeShare, useRemoveShare } from '../instance-people.ts';
import { levelOptions, levelWords } from '../share-words.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Choice } from './Choice.tsx';
import { ColleagueField } from './ColleagueField.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { SubmitBar } from './SubmitBar.tsx';

type Share = InstancePeople['shares'][number];

export function ShareList({ instance, people }: { instance: InstanceView; people: InstancePeople }): ReactNode {
  const [leaving, setLeaving] = useState<Share | null>(null);
  const mayShare = canOnInstance(instance.standing, 'instance.share');
  return (
    <>
      {people.shares.length === 0 && <p className="quiet">It is not shared with anybody.</p>}
      <ul className="plain-list">
        {people.shares.map((share) => (
          <li key={share.person.id} className="person-row">
            <span>
              <strong>{share.person.name}</strong> <span className="quiet">{share.person.userName}</span>
              {share.person.isDisabled && <span className="tone-amber"> · account disabled</span>}
              <span className="block quiet">
                {levelWords[share.level].means} · since <Ago at={share.since} />
              </span>
            </span>
            {mayShare && <LevelChoice instanceName={instance.name} share={share} />}
            {mayShare && (
              <Button type="button" basic compact size="small" aria-label={`Stop sharing with ${share.person.name}`} onClick={() => setLeaving(share)}>
                Stop sharing…
              </Button>
            )}
          </li>
        ))}
      </ul>
      {mayShare && <AddShare instance={instance} people={people} />}
      {leaving && <StopSharing instanceName={instance.name} share={leaving} onClose={() => setLeaving(null)} />}
    </>
  );
}

function LevelChoice({ instanceName, share }: { instanceName: string; share: Share }): ReactNode {
  const change = useChangeShare(instanceName);
  return (
    <select
      className="lone"
      aria-label={`What ${share.person.name} may do`}
      value={change.isPending ? change.variables.level : share.level}
      disabled={change.isPending}
      onChange={(event) => {
        const level = shareLevels.find((one) => one === event.target.value);
        if (level)
          change.mutate(
            { personId: share.person.id, level },
            {
              onSuccess: () => showToast(`${share.person.name} ${levelWords[level].means}.`),
              onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick'),
            },
          );
      }}
    >
      {shareLevels.map((level) => (
        <option key={level} value={level}>
          {levelWords[level].name}
        </option>
      ))}
    </select>
  );
}

function AddShare({ instance, people }: { instance: InstanceView; people: InstancePeople }): ReactNode {
  const share = useAddShare(instance.name);
  const form = useForm({
    schema: addShareSchema,
    initial: { login: '', level: 'operate' },
    send: (body) => share.mutateAsync(body),
    onDone: (_, clear) => {
      showToast('Shared. It stands in their list of instances now.');
      clear();
    },
  });
  return (
    <form className="ui form after-list" onSubmit={form.submit} aria-label="Share with a colleague">
      <ColleagueField form={form} label="Share with" leaveOutIds={[people.owner.id, ...people.shares.map(({ person }) => person.id)]} />
      <Choice form={form} name="level" label="What they may do" term="operate-view" options={levelOptions} hint={meaningOf(form.values.level)} />
      <SubmitBar form={form} verb="Share" isReady={form.values.login.trim() !== ''} />
    </form>
  );
}

/** What the chosen level lets a colleague do. */
const meaningOf = (chosen: string): string => shareLevels.flatMap((level) => (level === chosen ? [`Your colleague ${levelWords[level].means}.`] : [])).join('');

function StopSharing({ instanceName, share, onClose }: { instanceName: string; share: Share; onClose: () => void }): ReactNode {
  const remove = useRemoveShare(instanceName);
  const { name, id } = share.person;
  return (
    <Dialog title={`Stop sharing with ${name}?`} onClose={onClose}>
      <div className="content">
        <p>{name} no longer sees this instance; open pages lose it at once.</p>
        <p>Somebody who has seen the oTree sign-in still knows it. Set a new admin password if they should not.</p>
        {remove.error && <ProblemMessage error={remove.error} />}
      </div>
      <div className="actions">
        <Button type="button" basic data-first-focus onClick={onClose}>
          Cancel
        </Button>
        <Button type="button" primary loading={remove.isPending} disabled={remove.isPending} onClick={() => remove.mutate(id, { onSuccess: onClose })}>
          Stop sharing
        </Button>
      </div>
    </Dialog>
  );
}
