// The overview of an instance: the push instruction at first, then git, oTree, rooms, processes, now, last jobs.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { addressWords } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instancePath } from '../addresses.ts';
import { Activity } from '../components/Activity.tsx';
import { AddressLink } from '../components/AddressLink.tsx';
import { AdminPassword } from '../components/AdminPassword.tsx';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { JobList } from '../components/JobList.tsx';
import { LastError } from '../components/LastError.tsx';
import { LoadFacts } from '../components/LoadFacts.tsx';
import { LastHours } from '../components/Metrics.tsx';
import { Notes } from '../components/Notes.tsx';
import { PushInstruction } from '../components/PushInstruction.tsx';
import { RoomFacts } from '../components/RoomFacts.tsx';
import { describePeople } from '../consequences.ts';
import { isDeployed } from '../instance-actions.ts';
import { useInstanceJobs } from '../jobs.ts';
import { countOf, describeBytes, describeNumber } from '../numbers.ts';
import { useTab } from '../tab.ts';

export function InstanceOverview(): ReactNode {
  const { instance } = useTab();
  if (instance.state === 'failed' || instance.state === 'deleting' || instance.state === 'deleted') return <LastJobs instance={instance} />;
  return (
    <>
      {!isDeployed(instance) && instance.job?.kind !== 'deploy' && <PushInstruction instance={instance} />}
      <LastError instance={instance} />
      <div className="overview">
        <div>
          {isDeployed(instance) && <Git instance={instance} />}
          {isDeployed(instance) && <RoomFacts instance={instance} />}
          <LastJobs instance={instance} />
          <Notes instance={instance} />
        </div>
        <div>
          <Otree instance={instance} />
          {isDeployed(instance) && <Now instance={instance} />}
          {isDeployed(instance) && <LoadFacts instance={instance} />}
        </div>
      </div>
      {isDeployed(instance) && <LastHours instance={instance} />}
      <Activity instance={instance} />
    </>
  );
}

function Git({ instance }: { instance: InstanceView }): ReactNode {
  const { current, deployBranch, remoteUrl } = instance.git;
  return (
    <FactGroup title="Git">
      <FactList>
        <Fact name="Remote">
          <code>{remoteUrl}</code> <CopyButton what="remote" text={remoteUrl} />
        </Fact>
        <Fact name="Branch">{deployBranch ?? <>main or master</>}</Fact>
        {current && (
          <>
            <Fact name="Commit">
              <code title={current.commit}>{current.commit.slice(0, 7)}</code> {firstLine(current.message)}
            </Fact>
            <Fact name="Deployed">
              <Ago at={current.endedAt ?? current.createdAt} /> by {current.createdByName}
            </Fact>
          </>
        )}
      </FactList>
    </FactGroup>
  );
}

const authLevels = {
  STUDY: 'STUDY: participants come in by their links only; everything else asks for the password',
  DEMO: 'DEMO: anybody may start a demo session; the rest asks for the password',
  '': 'not set: nothing asks for a password',
} as const;

function Otree({ instance }: { instance: InstanceView }): ReactNode {
  const { adminUsername, authLevel, isProduction } = instance.otree;
  return (
    <FactGroup title="oTree admin">
      <FactList>
        <Fact name="Address">
          <AddressLink url={instance.url} /> <small className="quiet">{addressWords[instance.addressMode]}</small>
        </Fact>
        <Fact name="User name">
          {adminUsername ?? 'as in settings.py'} {adminUsername !== null && <CopyButton what="user name" text={adminUsername} />}
        </Fact>
        {canOnInstance(instance.standing, 'instance.reveal-password') && (
          <Fact name="Password">
            <AdminPassword instanceName={instance.name} />
          </Fact>
        )}
        <Fact name="Auth level">{authLevels[authLevel]}</Fact>
        <Fact name="Production">{isProduction ? 'yes: debug information is off' : 'no: participants see debug information'}</Fact>
        {instance.otreeVersion !== null && <Fact name="oTree">{instance.otreeVersion}</Fact>}
      </FactList>
    </FactGroup>
  );
}

function Now({ instance }: { instance: InstanceView }): ReactNode {
  const { now } = instance;
  const size = now.databaseBytes === null ? '' : `, ${describeBytes(now.databaseBytes)}`;
  return (
    <FactGroup title="Now">
      <FactList>
        <Fact name="People">{describePeople(now.participantsInSession, now.sessionsInUse)}</Fact>
        <Fact name="Data">
          {now.rows === null ? 'not known yet' : `${countOf(now.rows, 'row')}${size}`}
          {now.sessions !== null && `, ${countOf(now.sessions, 'session')}`}
        </Fact>
        <Fact name="Last backup">
          {now.lastBackupAt === null ? 'none yet' : <Ago at={now.lastBackupAt} />} · <Link to={instancePath(instance.name, 'data')}>Backups</Link>
        </Fact>
        <Fact name="Processes">web {describeNumber(now.webProcesses)} (the worker runs inside it)</Fact>
        {now.restarts > 0 && <Fact name="Restarts">{countOf(now.restarts, 'time')} by itself since the last start</Fact>}
        {instance.memoryBytes !== null && <Fact name="Memory">{describeBytes(instance.memoryBytes)}</Fact>}
        {instance.diskBytes !== null && (
          <Fact name="Disk">
            {describeBytes(instance.diskBytes)} of {describeBytes((instance.limits.diskMib ?? instance.limits.panelDiskMib) * 1024 * 1024)}
          </Fact>
        )}
        <Fact name="Last participant">{instance.lastParticipantAt === null ? 'none yet' : <Ago at={instance.lastParticipantAt} />}</Fact>
        {instance.lastActivityAt !== null && (
          <Fact name="Last activity">
            <Ago at={instance.lastActivityAt} />
          </Fact>
        )}
        <Fact name="Experimenter">{instance.owner.name}</Fact>
        <Fact name="Runs on">
          {instance.platform.kind} <small className="quiet">{instance.platform.isolationNote}</small>
        </Fact>
        {instance.platform.host !== null && (
          <Fact name="Host">
            <span className="breaks">{instance.platform.host}</span>
          </Fact>
        )}
        {instance.platform.kind === 'swarm' && (
          <Fact name="Database">{instance.platform.hasOwnDatabaseServer ? 'on a server of its own, in a container' : 'on the panel’s server'}</Fact>
        )}
      </FactList>
    </FactGroup>
  );
}

const shownJobs = 5;

function LastJobs({ instance }: { instance: InstanceView }): ReactNode {
  const jobs = useInstanceJobs(instance.name, instance.job !== null);
  return (
    <FactGroup title="Last jobs">
      <Answer query={jobs}>
        {(list) => (list.length === 0 ? <p className="quiet">Nothing has been done here yet.</p> : <JobList jobs={list.slice(0, shownJobs)} />)}
      </Answer>
    </FactGroup>
  );
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
