// What to do on the recruiting site, step by step: everything to paste stands ready.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { InstanceView } from '../../contracts/instances.ts';
import { outcomes, prolificCompletion, type Outcome, type Recruitment } from '../../contracts/recruiting.ts';
import type { RecruitingView, RoomRecruitment } from '../../contracts/recruiting-view.ts';
import { mayHavePeople } from '../../contracts/states.ts';
import { instancePath } from '../addresses.ts';
import { useExports } from '../exports.ts';
import { countOf } from '../numbers.ts';
import { preflightPlace } from '../preflight.ts';
import { mturkSnippets } from '../recruit-snippets.ts';
import { describeExactly } from '../times.ts';
import { FactGroup } from './Facts.tsx';
import { Findings } from './Findings.tsx';
import { PasteList, type PasteStep } from './PasteList.tsx';
import { RequesterKeys } from './RequesterKeys.tsx';
import { Snippets } from './Snippets.tsx';

type Props = { instance: InstanceView; room: RoomRecruitment; recruitment: Recruitment };
type Of<K extends Recruitment['kind']> = Omit<Props, 'recruitment'> & { settings: Extract<Recruitment, { kind: K }>['settings'] };

export function RecruitSite({ instance, view, room, recruitment }: Props & { view: RecruitingView }): ReactNode {
  const { kind } = recruitment;
  if (kind === 'prolific') return <OnProlific instance={instance} room={room} settings={recruitment.settings} />;
  if (kind === 'sona') return <OnSona instance={instance} room={room} settings={recruitment.settings} />;
  if (kind === 'link') return <ByLink instance={instance} room={room} settings={recruitment.settings} />;
  if (kind === 'mturk')
    return (
      <>
        <RequesterKeys instance={instance} mode={recruitment.settings.mode} />
        <Hit view={view} />
        <OnMturk instance={instance} mode={recruitment.settings.mode} view={view} />
      </>
    );
  return (
    <FactGroup title="In the lab">
      <p>
        Open the room’s Lobby on each computer: its address, shortcuts and QR codes are under{' '}
        <Link to={instancePath(instance.name, 'rooms')}>Rooms & Lobby</Link>.
      </p>
    </FactGroup>
  );
}

const codeWords: Readonly<Record<Exclude<Outcome, 'done'>, string>> = {
  screenedOut: 'Screened out',
  noPartner: 'No partner',
  timedOut: 'Timed out',
  noConsent: 'No consent',
};

function OnProlific({ room, settings }: Of<'prolific'>): ReactNode {
  const more = outcomes.filter((outcome) => outcome !== 'done').filter((outcome) => settings[outcome] !== null);
  const steps: PasteStep[] = [
    {
      field: 'What is the URL of your study?',
      text: room.entryLink ?? '',
      remark: 'Paste it as it is. If Prolific offers to add PROLIFIC_PID=…, leave that out: oTree reads participant_label.',
    },
    { field: 'How do you want to record Prolific IDs?', remark: 'Choose “I’ll use URL parameters”. Change nothing of the link.' },
    {
      field: 'How do you want to confirm participants have completed your study?',
      remark:
        settings.done === null
          ? 'Choose “I’ll redirect them using a URL”. Prolific then shows a completion code: copy it into the form above and save.'
          : `Choose “I’ll redirect them using a URL”. The code there has to be ${settings.done}.`,
    },
    ...more.map((outcome): PasteStep => ({
      field: `Completion codes: ${codeWords[outcome]}`,
      ...(settings[outcome] === null ? {} : { text: settings[outcome] }),
      remark: 'Add a code for this outcome, with what Prolific shall do with these submissions.',
    })),
    {
      field: 'How many participants do you want to recruit?',
      ...(settings.expectedPeople === null ? {} : { text: String(settings.expectedPeople) }),
      remark: 'The session needs some places more: who gives up keeps the place in oTree, and the next person takes another.',
    },
    {
      field: 'Title, description, devices, time and reward',
      remark: `Yours to write. ${settings.startsAt === null ? '' : `Publish it ${describeExactly(settings.startsAt)}, not before the session is open.`}`,
    },
  ];
  return (
    <FactGroup title="On Prolific" aside={<Form settings={settings} room={room} />}>
      <p className="quiet">
        Sign in to Prolific, choose New study, and go through its form. Save it as a draft and use Preview before you publish. Prolific changes its words now
        and then; the order stays.{' '}
        <a href="/help/prolific" target="_blank" rel="noopener">
          The whole way in five minutes
        </a>
      </p>
      <PasteList steps={steps} />
    </FactGroup>
  );
}

/** Prolific fills its form from such an address. @see https://community.prolific.com/t/create-study-via-url/4738 */
function Form({ room, settings }: Pick<Of<'prolific'>, 'room' | 'settings'>): ReactNode {
  const { done, expectedPeople } = settings;
  const query = new URLSearchParams({
    external_study_url: room.entryLink ?? '',
    prolific_id_option: 'url_parameters',
    completion_option: 'url',
    ...(done === null || done.includes('/') ? {} : { completion_code: done }),
    ...(expectedPeople === null ? {} : { total_available_places: String(expectedPeople) }),
  });
  return (
    <a href={`${new URL(prolificCompletion).origin}/researcher/studies/new?${query}`} target="_blank" rel="noopener noreferrer">
      Prolific’s form, filled in as far as it takes it ↗
    </a>
  );
}

function OnSona({ room, settings }: Of<'sona'>): ReactNode {
  return (
    <FactGroup title="On Sona Systems">
      <PasteList
        steps={[
          {
            field: 'Study URL',
            text: room.entryLink ?? '',
            remark: 'Add the study as an Online External Study. Sona puts each student’s number in the place of %SURVEY_CODE%.',
          },
          {
            field: 'Completion URL (client-side)',
            remark:
              settings.creditUrl === null
                ? 'Once the Study URL holds %SURVEY_CODE%, the Study Information page shows it. Copy it into the form above and save.'
                : 'Entered above. The last page has to put participant.label behind survey_code=: see the lines for the last page below.',
          },
        ]}
      />
    </FactGroup>
  );
}

function ByLink({ room, settings }: Of<'link'>): ReactNode {
  return (
    <FactGroup title="Your link">
      <PasteList
        steps={[
          {
            field: 'Link for participants',
            text: room.entryLink ?? '',
            remark:
              settings.placeholder === null
                ? 'Put an id of your own behind it, another one for each person: letters, digits and underscores.'
                : `The recruiting site has to put each person’s id in the place of ${settings.placeholder}.`,
          },
        ]}
      />
    </FactGroup>
  );
}

const fromOtree = 'Sign in to oTree first: user name and password stand on this instance’s overview.';

function OnMturk({ instance, mode, view }: { instance: InstanceView; mode: 'sandbox' | 'live'; view: RecruitingView }): ReactNode {
  const create = `${instance.url}/create_session?is_mturk=1`;
  const steps: PasteStep[] = [
    { field: 'Create New Session → For MTurk', remark: <OtreeLink href={create} text="Open it in oTree" more={fromOtree} /> },
    {
      field: 'Session config',
      ...(view.mturk?.config ? { text: view.mturk.config } : {}),
      remark: 'The session is made outside rooms: workers come by MTurk’s own window.',
    },
    {
      field: 'Number of MTurk workers (assignments)',
      remark:
        'oTree makes twice as many participants, spares for work that is given back. Memory has to do for all of them, and your grouping code sees them all.',
    },
    {
      field: 'Before you publish',
      remark: (
        <>
          <Link to={preflightPlace(instance.name, '')}>Ready for participants?</Link> looks at everything at once.
        </>
      ),
    },
    {
      field: 'MTurk → Publish HIT',
      remark:
        mode === 'live'
          ? 'Take the tick from “Use MTurk Sandbox”: from then on it costs money. Try it in the sandbox first.'
          : 'Leave the tick at “Use MTurk Sandbox”. Then take the HIT yourself as a worker, by the link that oTree shows.',
    },
    { field: 'MTurk and Payments', remark: <SessionPages instance={instance} /> },
  ];
  return (
    <FactGroup title="On MTurk">
      <p>
        oTree publishes the session and pays for it; nothing has to be filled in on MTurk itself.{' '}
        <a href="/help/mturk" target="_blank" rel="noopener">
          The whole way in five minutes
        </a>
      </p>
      <PasteList steps={steps} />
      <Snippets title="Lines for settings.py and the template" snippets={mturkSnippets} />
    </FactGroup>
  );
}

/** oTree's own pages of the newest session for MTurk; its list of sessions where none is known. */
function SessionPages({ instance }: { instance: InstanceView }): ReactNode {
  const list = useExports(instance.name, mayHavePeople.includes(instance.state));
  const session = list.data?.sessions.findLast(({ isMturk }) => isMturk === true);
  const about = 'There you approve the work, pay bonuses, and end the HIT early.';
  if (!session)
    return <OtreeLink href={`${instance.url}/sessions`} text="oTree’s sessions" more={`Each session for MTurk has the tabs MTurk and Payments. ${about}`} />;
  return (
    <>
      Session <code>{session.code}</code>, {countOf(session.participants / 2, 'worker')}:{' '}
      <OtreeLink href={`${instance.url}/MTurkCreateHIT/${session.code}`} text="MTurk" more="" />
      <OtreeLink href={`${instance.url}/MTurkSessionPayments/${session.code}`} text="Payments" more={about} />
    </>
  );
}

const OtreeLink = ({ href, text, more }: { href: string; text: string; more: string }): ReactNode => (
  <>
    <a href={href} target="_blank" rel="noopener">
      {text} ↗
    </a>{' '}
    {more}
  </>
);

/** The same judgements as in the preflight, where they are put right. */
function Hit({ view }: { view: RecruitingView }): ReactNode {
  if (view.mturk === null)
    return (
      <FactGroup title="In your project">
        <p className="quiet">Nothing is deployed yet. After the first push the settings for MTurk are looked through here.</p>
      </FactGroup>
    );
  const { config, findings } = view.mturk;
  return <Findings title={config === null ? 'In your project' : `In your project: ${config}`} findings={findings} acting={null} />;
}
