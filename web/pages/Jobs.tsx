// All jobs that the reader may see, newest first.

import type { ReactNode } from 'react';
import { Segment } from 'semantic-ui-react';
import { Answer, Empty } from '../components/Answer.tsx';
import { JobList } from '../components/JobList.tsx';
import { useJobs } from '../jobs.ts';
import { useTitle } from '../title.ts';

export function Jobs(): ReactNode {
  useTitle('Jobs');
  const jobs = useJobs();
  return (
    <>
      <h1>Jobs</h1>
      <Answer query={jobs}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No jobs yet">
              <p>Whatever takes longer than a moment (create, deploy, restart, back up) appears here with its steps and its log.</p>
            </Empty>
          ) : (
            <Segment className="fact-group">
              <JobList jobs={list} isWithInstance />
            </Segment>
          )
        }
      </Answer>
    </>
  );
}
