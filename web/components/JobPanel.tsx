// A job, the same everywhere: steps with a tick, a spinner or a cross, elapsed time, who, the log folded below.

import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { Button, Segment } from 'semantic-ui-react';
import type { JobView, Step } from '../../contracts/jobs.ts';
import { isJobOver } from '../../contracts/states.ts';
import { useJobLog } from '../jobs.ts';
import { jobIcons, jobLooks, stepLooks } from '../looks.ts';
import { Ago, Elapsed } from './Ago.tsx';
import { Loading } from './Answer.tsx';
import { DriftChoices } from './DriftChoices.tsx';
import { CancelJob } from './CancelJob.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { Sentence } from './Sentence.tsx';
import { Sign } from './Sign.tsx';
import { Terminal } from './Terminal.tsx';

type Props = { job: JobView; isLogOpen?: boolean; onDismiss?: () => void };

export function JobPanel({ job, isLogOpen = false, onDismiss }: Props): ReactNode {
  const look = jobLooks[job.state];
  return (
    <Segment as="section" className={`job edge-${look.tone}`} aria-label={`Job: ${job.title}`}>
      <header>
        <h2>
          <Glyph name={jobIcons[job.kind]} /> {job.title}
        </h2>
        <span role="status">
          <Sign look={look} />
        </span>
        <JobTimes job={job} />
        <CancelJob job={job} />
        {onDismiss && isJobOver(job.state) && (
          <Button type="button" basic compact size="small" onClick={onDismiss}>
            Hide
          </Button>
        )}
      </header>
      {job.state === 'queued' && <p className="quiet">It starts as soon as the worker is free.</p>}
      <ol className="steps-done" aria-label="Steps">
        {job.steps.map((step) => (
          <StepRow key={step.name} step={step} />
        ))}
      </ol>
      {job.error && <JobError error={job.error} />}
      {(job.error?.code === 'schema_drift' || job.error?.code === 'roll_back_drift') && job.instanceName !== null && (
        <DriftChoices job={job} name={job.instanceName} />
      )}
      <LogFold job={job} isOpenFirst={isLogOpen} />
    </Segment>
  );
}

/** Who started it, when, and how long it has taken. */
export function JobTimes({ job }: { job: JobView }): ReactNode {
  return (
    <span className="quiet">
      {job.actorName} · <Ago at={job.createdAt} />
      {job.startedAt && (
        <>
          {' · '}
          <Elapsed from={job.startedAt} until={job.endedAt} />
        </>
      )}
    </span>
  );
}

function JobError({ error }: { error: NonNullable<JobView['error']> }): ReactNode {
  return (
    <div className="job-error">
      <p>
        <strong>
          <Sentence text={error.sentence} />
        </strong>
      </p>
      <p>
        <Sentence text={error.hint} />
      </p>
    </div>
  );
}

function StepRow({ step }: { step: Step }): ReactNode {
  const look = stepLooks[step.state];
  return (
    <li className={`tone-${look.tone}`}>
      <Glyph name={look.icon} />
      <span className="step-label">{step.label}</span>
      <span className="said">{look.word}</span>
      <span className="quiet">
        <Elapsed from={step.startedAt} until={step.endedAt} />
      </span>
    </li>
  );
}

function LogFold({ job, isOpenFirst }: { job: JobView; isOpenFirst: boolean }): ReactNode {
  const [isOpen, setOpen] = useState(isOpenFirst);
  return (
    <details open={isOpen} onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
      <summary>{isJobOver(job.state) ? 'Log' : 'Live log'}</summary>
      {isOpen && <JobLogText job={job} />}
    </details>
  );
}

/** The text of a job’s log. */
function JobLogText({ job }: { job: JobView }): ReactNode {
  const log = useJobLog(job);
  if (log.data === undefined) return log.error ? <ProblemMessage error={log.error} onRetry={() => void log.refetch()} /> : <Loading />;
  if (log.data.text === '') return <p className="quiet">{isJobOver(job.state) ? 'This job wrote nothing.' : 'Nothing written yet.'}</p>;
  return (
    <>
      {log.data.isTruncated && <p className="quiet">This log reached its size limit; later lines were not kept.</p>}
      <Terminal text={log.data.text} name={`log of “${job.title}”`} />
    </>
  );
}
