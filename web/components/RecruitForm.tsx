// The form of one kind of recruitment: what is entered once, and used everywhere.

import { useState, type ReactNode } from 'react';
import type { InstanceView } from '../../contracts/instances.ts';
import { noRoom, outcomeFields, recruitmentSchema, type Outcome, type RecruitmentKind } from '../../contracts/recruiting.ts';
import type { RoomRecruitment } from '../../contracts/recruiting-view.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useForm, type Form } from '../form.ts';
import { settingsFrom, settingsSchemaOf, typedOf, type Typed } from '../recruit-form.ts';
import { kindWords, useSaveRecruitment } from '../recruiting.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Choice } from './Choice.tsx';
import { FactGroup } from './Facts.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';
import { WhenField } from './WhenField.tsx';

type Props = { instance: InstanceView; room: RoomRecruitment; otreeMajor: number };

/** A room is for one kind; MTurk's sessions are made outside rooms. */
export function RecruitForm({ instance, room, otreeMajor }: Props): ReactNode {
  const kinds: readonly RecruitmentKind[] = room.room === noRoom ? ['mturk'] : ['lab', 'prolific', 'sona', 'link'];
  const [kind, setKind] = useState<RecruitmentKind>(room.recruitment?.kind ?? kinds[0] ?? 'lab');
  return (
    <FactGroup title="How people come" {...(room.updatedAt === null ? {} : { aside: <Saved room={room} /> })}>
      {kinds.length > 1 && (
        <fieldset className="choices kinds">
          <legend className="said">Kind of recruitment</legend>
          {kinds.map((one) => (
            <div className="choice" key={one}>
              <input type="radio" id={`kind-${one}`} name="kind" checked={kind === one} onChange={() => setKind(one)} aria-describedby={`kind-${one}-about`} />
              <label htmlFor={`kind-${one}`}>{kindWords[one].name}</label>
              <span className="quiet" id={`kind-${one}-about`}>
                {kindWords[one].about}
              </span>
            </div>
          ))}
        </fieldset>
      )}
      <KindForm key={kind} instance={instance} room={room} kind={kind} otreeMajor={otreeMajor} />
    </FactGroup>
  );
}

function Saved({ room }: { room: RoomRecruitment }): ReactNode {
  return (
    <span className="quiet">
      saved by {room.updatedByName} <Ago at={room.updatedAt ?? ''} />
    </span>
  );
}

function KindForm({ instance, room, kind, otreeMajor }: Props & { kind: RecruitmentKind }): ReactNode {
  const save = useSaveRecruitment(instance.name);
  // What was there when editing began: a colleague's change in the meantime must not be written over unseen.
  const [since, setSince] = useState(room.updatedAt);
  const form = useForm({
    schema: settingsSchemaOf(kind),
    initial: typedOf(room.recruitment, kind),
    toBody: (typed: Typed) => settingsFrom(kind, typed),
    send: (settings) => save.mutateAsync({ room: room.room, recruitment: recruitmentSchema.parse({ kind, settings }), since }),
    onDone: ({ rooms, outside }) => {
      setSince([...rooms, outside].find((one) => one.room === room.room)?.updatedAt ?? null);
      showToast('Saved.');
    },
  });
  return (
    <form className="ui form recruit-form" onSubmit={form.submit} aria-label={`Recruitment by ${kindWords[kind].name}`}>
      {kind === 'prolific' && <ProlificFields form={form} otreeMajor={otreeMajor} hasWelcomePage={room.hasWelcomePage} />}
      {kind === 'sona' && (
        <TextField
          form={form}
          name="creditUrl"
          isCode
          label="Completion URL (client-side)"
          hint="From the Study Information page of your Sona site; it holds experiment_id= and credit_token=."
        />
      )}
      {kind === 'link' && <LinkFields form={form} />}
      {kind === 'mturk' && <MturkFields form={form} instance={instance} />}
      <div className="fields-in-two">
        <TextField form={form} name="expectedPeople" type="number" label={peopleWords[kind]} hint="Left empty: not known yet." />
        <WhenField form={form} name="startsAt" label="Start of the study" hint="In your own time zone." />
      </div>
      {canOnInstance(instance.standing, 'instance.change') ? (
        <SubmitBar form={form} verb="Save" />
      ) : (
        <p className="quiet">Only {instance.owner.name} and lab managers change this.</p>
      )}
    </form>
  );
}

const peopleWords: Readonly<Record<RecruitmentKind, string>> = {
  lab: 'Expected people',
  prolific: 'Places on Prolific',
  mturk: 'Expected workers',
  sona: 'Expected students',
  link: 'Expected people',
};

const outcomeWords: Readonly<Record<Outcome, string>> = {
  done: 'Finished',
  screenedOut: 'Screened out',
  noPartner: 'No partner found',
  timedOut: 'Timed out',
  noConsent: 'No consent',
};
const noOrYes = (no: string, yes: string) => [
  { value: 'no', text: no },
  { value: 'yes', text: yes },
];
const others = ['screenedOut', 'noPartner', 'timedOut', 'noConsent'] as const;

function ProlificFields({ form, otreeMajor, hasWelcomePage }: { form: Form<Typed>; otreeMajor: number; hasWelcomePage: boolean }): ReactNode {
  return (
    <>
      <TextField
        form={form}
        name="done"
        isCode
        label="Completion code"
        hint="Prolific shows it when you choose to redirect people by a URL. Paste the code or the whole link."
      />
      <Outcomes form={form} what="code" />
      <div className="fields-in-two">
        <TextField
          form={form}
          name="studyId"
          isCode
          label="Id of the study"
          hint="Optional: what stands behind /studies/ in Prolific’s address. It tells another study’s export from this one’s."
        />
        <Choice
          form={form}
          name="passesIds"
          label="Study and session ids in the link"
          hint="oTree does not keep them; they stand in the log only."
          options={noOrYes('Only the participant’s id', 'STUDY_ID and SESSION_ID, too')}
        />
        {otreeMajor >= 6 && !hasWelcomePage && (
          <Choice
            form={form}
            name="skipsWelcomePage"
            label="oTree’s welcome page"
            hint="oTree 6 asks for one click before the first page, so that a link preview takes nobody’s place."
            options={noOrYes('Show it: one click more', 'Go past it')}
          />
        )}
      </div>
    </>
  );
}

function LinkFields({ form }: { form: Form<Typed> }): ReactNode {
  return (
    <>
      <TextField
        form={form}
        name="placeholder"
        isCode
        label="Placeholder of the recruiting site"
        hint="What that site replaces by the person’s id, such as [ID] or {{id}}. Left empty, you put an id behind each link yourself."
      />
      <TextField form={form} name="done" isCode label="Completion link" hint="Where people go when they have finished." />
      <Outcomes form={form} what="link" />
    </>
  );
}

function MturkFields({ form, instance }: { form: Form<Typed>; instance: InstanceView }): ReactNode {
  return (
    <div className="fields-in-two">
      <Choice
        form={form}
        name="mode"
        label="Where the work is published"
        hint="In the sandbox nobody is paid and qualifications are ignored. Live costs real money."
        options={[
          { value: 'sandbox', text: 'Sandbox: for trying' },
          { value: 'live', text: 'Live: real workers, real money' },
        ]}
      />
      <Choice
        form={form}
        name="sessionConfig"
        label="Session config"
        hint="What you will choose in oTree; it is looked through below."
        options={[
          { value: '', text: instance.sessionConfigs.length === 1 ? (instance.sessionConfigs[0]?.displayName ?? '') : 'not chosen yet' },
          ...(instance.sessionConfigs.length === 1 ? [] : instance.sessionConfigs.map((config) => ({ value: config.name, text: config.displayName }))),
        ]}
      />
    </div>
  );
}

/** Most studies have none of these: folded, unless something stands there. */
function Outcomes({ form, what }: { form: Form<Typed>; what: 'code' | 'link' }): ReactNode {
  const [isFirstOpen] = useState(others.some((outcome) => form.values[outcome] !== ''));
  return (
    <details className="fold" open={isFirstOpen}>
      <summary>Another {what} for people who do not finish</summary>
      <div className="fields-in-two">
        {others.map((outcome) => (
          <TextField
            key={outcome}
            form={form}
            name={outcome}
            isCode
            label={outcomeWords[outcome]}
            hint={
              <>
                Reaches the experiment as <code>{outcomeFields[outcome]}</code>.
              </>
            }
          />
        ))}
      </div>
    </details>
  );
}
