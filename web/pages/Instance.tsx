// One instance: its name, state and actions, the work under way, and the tabs below.

import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Link, NavLink, Outlet, useLocation, useNavigate, useParams } from 'react-router';
import { Button } from 'semantic-ui-react';
import { mayHavePeople } from '../../contracts/states.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import type { JobView } from '../../contracts/jobs.ts';
import { instancePath } from '../addresses.ts';
import { isMissing } from '../api.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { ActionsMenu, useAsk } from '../components/InstanceActions.tsx';
import { JobPanel } from '../components/JobPanel.tsx';
import { StateSign } from '../components/Sign.tsx';
import { StateNote } from '../components/StateNote.tsx';
import { useInstance } from '../instances.ts';
import { useInstanceJobs, useJob, useStartJob } from '../jobs.ts';
import { useWatch } from '../live.tsx';
import type { TabContext } from '../tab.ts';
import { useTitle } from '../title.ts';

export function Instance(): ReactNode {
  const { name = '' } = useParams();
  useTitle(name);
  useWatch(name);
  const query = useInstance(name);
  if (isMissing(query.error)) return <Gone name={name} wasThere={query.data !== undefined} />;
  return <Answer query={query}>{(instance) => <Known key={instance.id} instance={instance} />}</Answer>;
}

function Known({ instance }: { instance: InstanceView }): ReactNode {
  const [job, follow, hide] = useShownJob(instance);
  const { ask, dialog } = useAsk(instance, follow);
  useSampleWish(instance, follow);
  return (
    <>
      <header className="page-head instance-head">
        <div>
          <Link to="/" className="quiet">
            ‹ Instances
          </Link>
          <h1>{instance.name}</h1>
        </div>
        <span role="status">
          <StateSign state={instance.state} />
        </span>
        <span className="spring" />
        <OpenButton instance={instance} />
        <ActionsMenu instance={instance} ask={ask} />
      </header>
      <Tabs name={instance.name} />
      {job && <JobPanel key={job.id} job={job} isLogOpen={job.kind === 'deploy'} onDismiss={hide} />}
      {(!job || instance.state === 'unknown') && <StateNote instance={instance} />}
      <Outlet context={{ instance, ask } satisfies TabContext} />
      {dialog}
    </>
  );
}

function OpenButton({ instance }: { instance: InstanceView }): ReactNode {
  if (!mayHavePeople.includes(instance.state)) {
    return (
      <Button type="button" primary disabled title="The experiment is not running.">
        Open ↗
      </Button>
    );
  }
  return (
    <Button as="a" href={instance.url} target="_blank" rel="noopener" primary>
      Open ↗
    </Button>
  );
}

function Tabs({ name }: { name: string }): ReactNode {
  const tabs = [
    ['', 'Overview'],
    ['deploy', 'Deploy'],
    ['rooms', 'Rooms & Lobby'],
    ['recruit', 'Recruit'],
    ['preflight', 'Ready?'],
    ['data', 'Data'],
    ['people', 'People'],
    ['settings', 'Settings'],
  ] as const;
  return (
    <nav className="tabs" aria-label="Parts of this instance">
      {tabs.map(([tab, label]) => (
        <NavLink key={tab} to={instancePath(name, tab)} end preventScrollReset>
          {label}
        </NavLink>
      ))}
    </nav>
  );
}

function Gone({ name, wasThere }: { name: string; wasThere: boolean }): ReactNode {
  return (
    <Empty isPage title={wasThere ? `“${name}” is gone` : `There is no instance “${name}”`}>
      <p>{wasThere ? 'It has been deleted, or it is no longer shared with you.' : 'Check the address, or ask its owner to share it with you.'}</p>
      <p>
        <Button as={Link} to="/" primary>
          <Glyph name="th large" /> All instances
        </Button>
      </p>
    </Empty>
  );
}

/** The job under way, the one that ended while this page was open, or the last one if it failed, until it is hidden. */
function useShownJob(instance: InstanceView): [JobView | null, (job: JobView) => void, () => void] {
  const [followed, setFollowed] = useState<JobView | null>(instance.job);
  const [hiddenId, setHiddenId] = useState<string | null>(null);
  const newest = useInstanceJobs(instance.name, instance.job !== null).data?.[0];
  if (instance.job !== null && instance.job.id !== followed?.id) setFollowed(instance.job);
  const shown = followed ?? (newest?.state === 'failed' ? newest : null);
  const fresh = useJob(shown?.id ?? null, shown ?? undefined).data ?? shown;
  const hide = (): void => {
    setHiddenId(shown?.id ?? null);
    setFollowed(null);
  };
  useOnNewTab(() => fresh?.state === 'succeeded' && hide());
  return [fresh === null || fresh.id === hiddenId ? null : fresh, setFollowed, hide];
}

/** What went well is not carried along to the next tab. */
function useOnNewTab(work: () => void): void {
  const { pathname } = useLocation();
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    work();
  });
}

/** The dashboard's "Try a sample experiment" comes here with a wish; it is fulfilled once, when the instance is ready for it. */
function useSampleWish(instance: InstanceView, follow: (job: JobView) => void): void {
  const location = useLocation();
  const navigate = useNavigate();
  const start = useStartJob(instance.name);
  const isSent = useRef(false);
  const isWanted = (location.state as { isSampleWanted?: boolean } | null)?.isSampleWanted === true;
  const isReady = instance.state === 'waiting' && instance.job === null;
  useEffect(() => {
    if (!isWanted || !isReady || isSent.current) return;
    isSent.current = true;
    void navigate(location.pathname, { replace: true, state: null });
    start.mutate({ kind: 'deploy-sample' }, { onSuccess: follow });
  }, [isWanted, isReady, location.pathname, navigate, start, follow]);
}
