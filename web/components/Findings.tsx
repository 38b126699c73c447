// What the preflight found: each check with result, meaning and what to do, and the button that does it.

import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import type { Finding, PreflightAct, PreflightPlace } from '../../contracts/preflight.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instancePath } from '../addresses.ts';
import { useChangeEnvironment } from '../environment.ts';
import type { ActionKind } from '../instance-actions.ts';
import { useStartJob } from '../jobs.ts';
import { showToast } from '../toasts.ts';
import { ActButton } from './ActButton.tsx';
import { CheckEntry } from './CheckEntry.tsx';
import { ConfirmAction } from './ConfirmAction.tsx';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';

type Acting = { instance: InstanceView; ask: (kind: ActionKind) => void };
type Props = { title: string; findings: readonly Finding[]; /** null: a look of before, in which nothing can be put right any more. */ acting: Acting | null };

export function Findings({ title, findings, acting }: Props): ReactNode {
  if (findings.length === 0) return null;
  return (
    <FactGroup title={title}>
      <ul className="checks">
        {findings.map((finding) => (
          <CheckEntry key={finding.id} check={finding}>
            {finding.paste !== null && <Paste title={finding.title} text={finding.paste} />}
            {acting !== null && <Ways finding={finding} {...acting} />}
          </CheckEntry>
        ))}
      </ul>
    </FactGroup>
  );
}

const Paste = ({ title, text }: { title: string; text: string }): ReactNode => (
  <div className="for-it">
    <pre className="paste">{text}</pre>
    <CopyButton text={text} what={`the lines for “${title}”`} />
  </div>
);

const placeWords: Readonly<Record<PreflightPlace, string>> = {
  deploy: 'Go to Deploy',
  rooms: 'Go to Rooms & Lobby',
  recruit: 'Go to Recruit',
  data: 'Go to Data',
  settings: 'Go to Settings',
};

function Ways({ finding: { act, place }, instance, ask }: Acting & { finding: Finding }): ReactNode {
  if (act === null && place === null) return null;
  return (
    <p className="ways">
      {act !== null && <Act act={act} instance={instance} ask={ask} />}
      {place !== null && <Link to={instancePath(instance.name, place)}>{placeWords[place]}</Link>}
    </p>
  );
}

function Act({ act, instance, ask }: Acting & { act: PreflightAct }): ReactNode {
  if (act === 'run-bots') return <PlayBots instance={instance} />;
  if (act === 'set-study' || act === 'set-production') return <SetSafety act={act} instance={instance} />;
  return <ActButton instance={instance} kind={act} ask={ask} />;
}

/** Also offered on the Data tab: bots disturb nobody. */
export function PlayBots({ instance, config }: { instance: InstanceView; config?: string }): ReactNode {
  const start = useStartJob(instance.name);
  if (!canOnInstance(instance.standing, 'instance.run-bots')) return null;
  const play = (): void =>
    start.mutate(
      { kind: 'run-bots', ...(config === undefined ? {} : { config }) },
      { onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick'), onSuccess: () => showToast('The bots have begun. Their log stands above.') },
    );
  return (
    <Button type="button" basic disabled={instance.job !== null || start.isPending} loading={start.isPending} onClick={play}>
      <Glyph name="robot" /> Play bots
    </Button>
  );
}

const safetyWords = { 'set-study': 'Set STUDY…', 'set-production': 'Switch production on…' } as const;

/** Stored at once; the experiment has it after the restart that is asked for next. */
function SetSafety({ act, instance }: { act: keyof typeof safetyWords; instance: InstanceView }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const change = useChangeEnvironment(instance.name);
  if (!canOnInstance(instance.standing, 'instance.set-environment')) return null;
  const set = (): void =>
    change.mutate(act === 'set-study' ? { authLevel: 'STUDY' } : { isProduction: true }, {
      onSuccess: () => setAsked(true),
      onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick'),
    });
  return (
    <>
      <Button type="button" basic disabled={instance.job !== null || change.isPending} onClick={set}>
        <Glyph name="shield alternate" /> {safetyWords[act]}
      </Button>
      {isAsked && <ConfirmAction kind="set-environment" instance={instance} onClose={() => setAsked(false)} onStarted={() => setAsked(false)} />}
    </>
  );
}
