// One job at an address of its own, to hand to a colleague.

import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { instancePath } from '../addresses.ts';
import { isMissing } from '../api.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { JobPanel } from '../components/JobPanel.tsx';
import { useJob } from '../jobs.ts';
import { useTitle } from '../title.ts';

export function Job(): ReactNode {
  useTitle('Job');
  const { id = '' } = useParams();
  const job = useJob(id);
  if (isMissing(job.error)) return <Empty isPage title="There is no such job, or it is not yours to see" />;
  return (
    <>
      <p>
        <Link to="/jobs">‹ Jobs</Link>
      </p>
      <Answer query={job}>
        {(view) => (
          <>
            <h1>
              {view.title}
              {view.instanceName !== null && (
                <>
                  {': '}
                  {view.isInstanceGone ? `${view.instanceName} (deleted)` : <Link to={instancePath(view.instanceName)}>{view.instanceName}</Link>}
                </>
              )}
            </h1>
            <JobPanel job={view} isLogOpen />
          </>
        )}
      </Answer>
    </>
  );
}
