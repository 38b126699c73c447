// Deployments of an instance, newest first, each with its log; and what the experiment itself writes.

import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { Button, Label, Segment } from 'semantic-ui-react';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { Ago, Elapsed } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { ConfirmJob } from '../components/ConfirmAction.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { DeploymentWarnings } from '../components/DeploymentWarnings.tsx';
import { DropArchive } from '../components/DropArchive.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { JobPanel } from '../components/JobPanel.tsx';
import { PushInstruction } from '../components/PushInstruction.tsx';
import { RuntimeLog } from '../components/RuntimeLog.tsx';
import { Sign } from '../components/Sign.tsx';
import { useTens } from '../clock.ts';
import { describeRollBack } from '../consequences.ts';
import { isDeployed } from '../instance-actions.ts';
import { useDeployments } from '../instances.ts';
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
          <DropArchive instance={instance} />
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
                    <DeploymentRow instance={instance} deployment={deployment} />
                    <DeploymentWarnings deployment={deployment} />
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </FactGroup>
      {!isDeployed(instance) && instance.state !== 'failed' && instance.job?.kind !== 'deploy' && <PushInstruction instance={instance} />}
      {isDeployed(instance) && canOnInstance(instance.standing, 'instance.read-logs') && <RuntimeLogFold instance={instance} />}
    </>
  );
}

type RowProps = { instance: InstanceView; deployment: DeploymentView };

function DeploymentRow({ instance, deployment }: RowProps): ReactNode {
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
          {sources[deployment.source]} {deployment.branch} · {deployment.createdByName} · <Ago at={deployment.createdAt} /> ·{' '}
          <Elapsed from={deployment.createdAt} until={deployment.endedAt} />
          {deployment.otreeVersion !== null && ` · oTree ${deployment.otreeVersion}`}
        </span>
      </summary>
      {isOpen && <RollBack instance={instance} deployment={deployment} />}
      {isOpen && <DeploymentJob deployment={deployment} />}
    </details>
  );
}

const sources = { push: 'pushed to', upload: 'uploaded to', sample: 'sample on' } as const;

/** Where the built version is still there: back to it without a build. */
function RollBack({ instance, deployment }: RowProps): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const nowMs = useTens();
  if (!deployment.canRollBack || !canOnInstance(instance.standing, 'instance.roll-back')) return null;
  const close = (): void => setAsked(false);
  return (
    <p className="act">
      <Button type="button" basic disabled={instance.job !== null} onClick={() => setAsked(true)}>
        <Glyph name="undo alternate" /> Roll back to this version…
      </Button>
      {instance.job !== null && <small className="quiet">Another job is under way.</small>}
      {isAsked && (
        <ConfirmJob
          about={describeRollBack(instance, deployment, nowMs)}
          instance={instance}
          request={{ kind: 'roll-back', deploymentId: deployment.id }}
          onClose={close}
          onStarted={close}
        />
      )}
    </p>
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

function RuntimeLogFold({ instance }: { instance: InstanceView }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <FactGroup title="Runtime log">
      <details className="fold" onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
        <summary>What the experiment writes while it runs</summary>
        {isOpen && <RuntimeLog name={instance.name} />}
      </details>
    </FactGroup>
  );
}
