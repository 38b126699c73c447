// All jobs that the reader may see, newest first.

import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { Segment } from 'semantic-ui-react';
import { Answer, Empty } from '../components/Answer.tsx';
import { JobList } from '../components/JobList.tsx';
import { Pager } from '../components/Pager.tsx';
import { useJobs } from '../jobs.ts';
import { useTitle } from '../title.ts';

export function Jobs(): ReactNode {
  useTitle('Jobs');
  const [search, setSearch] = useSearchParams();
  const jobs = useJobs(Math.max(1, Math.trunc(Number(search.get('page'))) || 1));
  const turn = (page: number): void => {
    setSearch({ page: String(page) });
    window.scrollTo({ top: 0 });
  };
  return (
    <>
      <h1>Jobs</h1>
      <Answer query={jobs}>
        {(list) =>
          list.jobs.length === 0 && list.page === 1 ? (
            <Empty title="No jobs yet">
              <p>Whatever takes longer than a moment (create, deploy, restart, back up) appears here with its steps and its log.</p>
            </Empty>
          ) : (
            <>
              <Segment className="fact-group">
                <JobList jobs={list.jobs} isWithInstance />
              </Segment>
              <Pager page={list.page} pages={list.pages} name="Pages of jobs" onPage={turn} />
            </>
          )
        }
      </Answer>
    </>
  );
}
