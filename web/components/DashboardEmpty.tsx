// The dashboard before the first instance: the way to one, for managers and for experimenters.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { Button } from 'semantic-ui-react';
import { createdInstanceSchema, instanceListSchema } from '../../contracts/instances.ts';
import { instancePath } from '../addresses.ts';
import { request, type ApiError } from '../api.ts';
import { freeSampleName } from '../instance-filter.ts';
import { followJob } from '../jobs.ts';
import { useMay, useMe } from '../panel.ts';
import { Empty } from './Answer.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

export function DashboardEmpty(): ReactNode {
  return useMay('instances.create') ? <EmptyForManager /> : <EmptyForExperimenter />;
}

function EmptyForManager(): ReactNode {
  const sample = useSample();
  return (
    <Empty title="No instances yet">
      <p>
        An instance is one oTree server with its own address and database. Create one for yourself or for a colleague, or look at the whole way with a small
        trust game of ours first.
      </p>
      {sample.error && <ProblemMessage error={sample.error} />}
      <p>
        <Button as={Link} to="/instances/new" primary size="large">
          New instance
        </Button>
        <Button type="button" basic size="large" loading={sample.isPending} disabled={sample.isPending} onClick={() => sample.mutate()}>
          Try a sample experiment
        </Button>
      </p>
    </Empty>
  );
}

function EmptyForExperimenter(): ReactNode {
  const hasKey = (useMe().data?.sshKeys ?? 0) > 0;
  return (
    <Empty title="You have no instance yet">
      <p>Ask your lab manager for an instance. It appears here as soon as it is made.</p>
      {hasKey ? (
        <p className="quiet">Your SSH key is in place, so you can push at once.</p>
      ) : (
        <p>
          Meanwhile, add the SSH key that signs your pushes. <br />
          <Button as={Link} to="/keys" primary>
            Add an SSH key
          </Button>
        </p>
      )}
    </Empty>
  );
}

/** Creates the sample's instance and goes to its page, which asks for the sample itself as soon as the instance is there. */
function useSample(): ReturnType<typeof useMutation<{ name: string }, ApiError, void>> {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation<{ name: string }, ApiError>({
    mutationFn: async () => {
      const { instances } = await request(instanceListSchema, '/instances?search=sample');
      const name = freeSampleName(instances.map((instance) => instance.name));
      const created = await request(createdInstanceSchema, '/instances', { method: 'POST', body: { name } });
      followJob(client, created.job);
      return created;
    },
    onSuccess: ({ name }) => navigate(instancePath(name), { state: { isSampleWanted: true } }),
  });
}
