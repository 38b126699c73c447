// Jobs as rows, newest first; a row opens to the whole job.

import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { Link } from 'react-router';
import type { JobView } from '../../contracts/jobs.ts';
import { instancePath } from '../addresses.ts';
import { jobLooks } from '../looks.ts';
import { JobPanel, JobTimes } from './JobPanel.tsx';
import { Sentence } from './Sentence.tsx';
import { Sign } from './Sign.tsx';

type Props = { jobs: readonly JobView[]; isWithInstance?: boolean };

export function JobList({ jobs, isWithInstance = false }: Props): ReactNode {
  return (
    <ul className="job-list">
      {jobs.map((job) => (
        <li key={job.id}>
          <JobRow job={job} isWithInstance={isWithInstance} />
        </li>
      ))}
    </ul>
  );
}

function JobRow({ job, isWithInstance }: { job: JobView; isWithInstance: boolean }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
      <summary>
        <Sign look={jobLooks[job.state]} />
        <span className="job-title">{job.title}</span>
        {isWithInstance && job.instanceName !== null && (
          <span className="job-where">
            {job.instanceName}
            {job.isInstanceGone && <span className="quiet"> (deleted)</span>}
          </span>
        )}
        <JobTimes job={job} />
        {job.error && !isOpen && (
          <span className="job-sentence tone-brick">
            <Sentence text={job.error.sentence} />
          </span>
        )}
      </summary>
      {isOpen && isWithInstance && job.instanceName !== null && !job.isInstanceGone && (
        <p>
          <Link to={instancePath(job.instanceName)}>Open {job.instanceName}</Link>
        </p>
      )}
      {isOpen && <JobPanel job={job} />}
    </details>
  );
}
