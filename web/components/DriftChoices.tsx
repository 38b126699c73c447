// The ways out when the models of a version do not fit the database: empty it after a backup, or go on knowingly.

import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { JobView } from '../../contracts/jobs.ts';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useTens } from '../clock.ts';
import { describeDriftChoice, type DriftWay } from '../consequences.ts';
import { useDeployments, useInstance } from '../instances.ts';
import { showToast } from '../toasts.ts';
import { ConfirmJob } from './ConfirmAction.tsx';
import { Glyph } from './Glyph.tsx';

/** Shown while the choice still stands and nothing else is under way. @param job a deployment or a roll back that failed because of the tables */
export function DriftChoices({ job, name }: { job: JobView; name: string }): ReactNode {
  const instance = useInstance(name).data;
  const deployments = useDeployments(name, false).data ?? [];
  const [asked, setAsked] = useState<DriftWay | null>(null);
  const navigate = useNavigate();
  const nowMs = useTens();
  const request = instance && askAgain(job, instance, deployments);
  if (!request) return null;
  const close = (): void => setAsked(null);
  return (
    <div className="drift-choices">
      <p>{request.kind === 'deploy' ? 'Keep the old version' : 'Stay with the version in use'} (nothing to do: it runs on), or:</p>
      <Button type="button" basic negative onClick={() => setAsked('reset')}>
        <Glyph name="eraser" /> Back up and reset…
      </Button>
      <Button type="button" basic onClick={() => setAsked('go-on')}>
        <Glyph name="forward" /> Go on without…
      </Button>
      {asked !== null && (
        <ConfirmJob
          about={describeDriftChoice(instance, { way: asked, kind: request.kind, nowMs })}
          instance={instance}
          request={{ ...request, onDrift: asked }}
          onClose={close}
          onStarted={({ title }) => {
            close();
            showToast(`${title} has begun.`);
            void navigate(`/instances/${name}/deploy`);
          }}
        />
      )}
    </div>
  );
}

/** What would be asked for once more; null: it is too late, or not this reader's to ask. */
function askAgain(
  job: JobView,
  { standing, job: underWay }: InstanceView,
  deployments: readonly DeploymentView[],
): { kind: 'deploy' | 'roll-back'; deploymentId: string } | null {
  if (underWay !== null) return null;
  if (job.rollBackTo !== null) {
    const isThere = deployments.some(({ id, canRollBack }) => id === job.rollBackTo && canRollBack);
    return isThere && canOnInstance(standing, 'instance.roll-back') ? { kind: 'roll-back', deploymentId: job.rollBackTo } : null;
  }
  const [newest] = deployments;
  return newest && newest.id === job.deploymentId && canOnInstance(standing, 'instance.deploy') ? { kind: 'deploy', deploymentId: newest.id } : null;
}
