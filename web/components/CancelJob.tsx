// Cancels a job, as long as it can be.

import type { ReactNode } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { isCancellable, type JobView } from '../../contracts/jobs.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { isJobOver } from '../../contracts/states.ts';
import { useCancelJob } from '../jobs.ts';
import { showToast } from '../toasts.ts';

export function CancelJob({ job }: { job: JobView }): ReactNode {
  const cancel = useCancelJob();
  // Where the instance is not at hand (the list of all jobs), the panel decides when it is asked.
  const instance = useQueryClient().getQueryData<InstanceView>(['instance', job.instanceName]);
  if (isJobOver(job.state) || (instance && !canOnInstance(instance.standing, 'instance.cancel-job'))) return null;
  if (job.cancelledByName !== null) return <span className="quiet">{job.cancelledByName} cancelled it; it is ending.</span>;
  if (!isCancellable(job)) return null;
  const onCancel = (): void => cancel.mutate(job.id, { onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') });
  return (
    <Button type="button" basic compact size="small" loading={cancel.isPending} disabled={cancel.isPending} onClick={onCancel}>
      Cancel
    </Button>
  );
}
