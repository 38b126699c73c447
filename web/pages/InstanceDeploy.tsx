// Deployments of an instance, newest first, each with its log; and what the experiment itself writes.

import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { Label, Segment } from 'semantic-ui-react';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { Ago, Elapsed } from '../components/Ago.tsx';
import { Answer, Loading } from '../components/Answer.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { DeploymentWarnings } from '../components/DeploymentWarnings.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { JobPanel } from '../components/JobPanel.tsx';
import { ProblemMessage } from '../components/ProblemMessage.tsx';
import { PushInstruction } from '../components/PushInstruction.tsx';
import { Sign } from '../components/Sign.tsx';
import { Terminal } from '../components/Terminal.tsx';
import { isDeployed } from '../instance-actions.ts';
import { useDeployments, useRuntimeLog } from '../instances.ts';
import { useJob } from '../jobs.ts';
import { deploymentLooks } from '../looks.ts';
import { useTab } from '../tab.ts';

export function InstanceDeploy(): ReactNode {
  const { instance } = useTab();
  const deployments = useDeployments(instance.name, instance.job !== null);
  return (
    <>
      {isDeployed(instance) && canOnInstance(instance.standing, 'instance.push') && (
        <Segment>
          To deploy, push: <code>git push lab {instance.git.deployBranch ?? 'main'}</code>{' '}
          <CopyButton what="push command" text={`git push lab ${instance.git.deployBranch ?? 'main'}`} />
          <span className="block quiet">
            Remote <code>{instance.git.remoteUrl}</code> <CopyButton what="remote" text={instance.git.remoteUrl} />
          </span>
        </Segment>
      )}
      <FactGroup title="Deployments">
        <Answer query={deployments}>
          {(list) =>
            list.length === 0 ? (
              <p className="quiet">No deployment yet.</p>
            ) : (
              <ul className="job-list">
                {list.map((deployment) => (
                  <li key={deployment.id}>
                    <DeploymentRow deployment={deployment} />
                    <DeploymentWarnings deployment={deployment} />
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </FactGroup>
      {!isDeployed(instance) && instance.state !== 'failed' && instance.job?.kind !== 'deploy' && <PushInstruction instance={instance} />}
      {isDeployed(instance) && canOnInstance(instance.standing, 'instance.read-logs') && <RuntimeLog instance={instance} />}
    </>
  );
}

function DeploymentRow({ deployment }: { deployment: DeploymentView }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="numbers quiet">#{deployment.number}</span>
        <Sign look={deploymentLooks[deployment.state]} />
        {deployment.isCurrent && <Label size="small">current</Label>}
        <code title={deployment.commit}>{deployment.commit.slice(0, 7)}</code>
        <span className="job-title">{deployment.message.split('\n', 1)[0]}</span>
        <span className="quiet">
          {deployment.branch} · {deployment.createdByName} · <Ago at={deployment.createdAt} /> ·{' '}
          <Elapsed from={deployment.createdAt} until={deployment.endedAt} />
          {deployment.otreeVersion !== null && ` · oTree ${deployment.otreeVersion}`}
        </span>
      </summary>
      {isOpen && <DeploymentJob deployment={deployment} />}
    </details>
  );
}

function DeploymentJob({ deployment }: { deployment: DeploymentView }): ReactNode {
  const job = useJob(deployment.jobId);
  return (
    <>
      <p className="quiet">Written by {deployment.author}.</p>
      {deployment.jobId === null ? (
        <p className="quiet">The log of this deployment is no longer kept.</p>
      ) : (
        <Answer query={job}>{(view) => <JobPanel job={view} isLogOpen />}</Answer>
      )}
    </>
  );
}

function RuntimeLog({ instance }: { instance: InstanceView }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <FactGroup title="Runtime log">
      <details className="fold" onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
        <summary>What the experiment writes while it runs</summary>
        {isOpen && <RuntimeLogText name={instance.name} />}
      </details>
    </FactGroup>
  );
}

function RuntimeLogText({ name }: { name: string }): ReactNode {
  const log = useRuntimeLog(name);
  if (log.data === undefined) return log.error ? <ProblemMessage error={log.error} onRetry={() => void log.refetch()} /> : <Loading />;
  return log.data === '' ? <p className="quiet">It has written nothing yet.</p> : <Terminal text={log.data} name="runtime log" />;
}
