// The last hours of an instance: what they mean, charts of core, memory and network, and the same as a table and a file.

import { useState, type ReactNode, type SyntheticEvent } from 'react';
import type { InstanceView } from '../../contracts/instances.ts';
import {
  measureNames,
  metricSteps,
  type MeasureName,
  type MetricFinding,
  type MetricHours,
  type Metrics,
  type MetricSampleView,
} from '../../contracts/metrics.ts';
import { mayHavePeople } from '../../contracts/states.ts';
import { instanceApi } from '../addresses.ts';
import { describeClock, useMetrics } from '../metrics.ts';
import { countOf, describeBytes, describeNumber } from '../numbers.ts';
import { checkLooks } from '../system-check.ts';
import { Answer } from './Answer.tsx';
import { type Column, DataTable } from './DataTable.tsx';
import { DownloadButton } from './DownloadButton.tsx';
import { FactGroup } from './Facts.tsx';
import { MetricChart } from './MetricChart.tsx';
import { Sign } from './Sign.tsx';
import { ToggleButton } from './ToggleButton.tsx';

const choices = Object.keys(metricSteps).map(Number) as MetricHours[];

export function LastHours({ instance }: { instance: InstanceView }): ReactNode {
  const [hours, setHours] = useState<MetricHours>(6);
  const metrics = useMetrics(instance.name, hours);
  const buttons = (
    <div className="ui small buttons" role="group" aria-label="How far back">
      {choices.map((choice) => (
        <ToggleButton key={choice} isOn={choice === hours} onClick={() => setHours(choice)} label={`${choice} h`} />
      ))}
    </div>
  );
  return (
    <FactGroup title="Last hours" aside={buttons}>
      <Answer query={metrics}>
        {(found) => (found.samples.length === 0 ? <Nothing instance={instance} metrics={found} /> : <Shown name={instance.name} metrics={found} />)}
      </Answer>
    </FactGroup>
  );
}

function Nothing({ instance, metrics }: { instance: InstanceView; metrics: Metrics }): ReactNode {
  if (metrics.measures.length === 0) return <p className="quiet">What an experiment uses is not told on this platform.</p>;
  const isRunning = mayHavePeople.includes(instance.state);
  return (
    <p className="quiet">
      {isRunning
        ? 'Nothing has been measured yet. The panel looks once a minute: come back in two.'
        : 'Nothing was measured in this time: the experiment did not run, or the panel did not.'}
    </p>
  );
}

const percent = (value: number): string => `${describeNumber(Math.round(value * 100))} %`;
const perSecond = (value: number): string => `${describeBytes(value)}/s`;
const words: Readonly<Record<MeasureName, string>> = { core: 'processor', memory: 'memory', network: 'network' };

function Shown({ name, metrics }: { name: string; metrics: Metrics }): ReactNode {
  const { measures, memoryLimitBytes: limit, samples } = metrics;
  const untold = measureNames.filter((measure) => !measures.includes(measure)).map((measure) => words[measure]);
  return (
    <>
      <ul className="plain-list metric-findings" aria-label="What the numbers say">
        {metrics.findings.map((finding) => (
          <Finding key={finding.seen} finding={finding} />
        ))}
      </ul>
      <div className="metrics">
        {measures.includes('core') && (
          <MetricChart
            title="Core"
            metrics={metrics}
            lines={[{ name: 'core', of: ({ core }) => core }]}
            limit={{ value: 1, name: 'all of a core' }}
            describe={percent}
          />
        )}
        {measures.includes('memory') && (
          <MetricChart
            title="Memory"
            metrics={metrics}
            lines={[{ name: 'memory', of: ({ memoryBytes }) => memoryBytes }]}
            limit={limit === null ? null : { value: limit, name: `limit ${describeBytes(limit)}` }}
            describe={describeBytes}
          />
        )}
        {measures.includes('network') && (
          <MetricChart
            title="Network of its own"
            metrics={metrics}
            lines={[
              { name: 'in', of: ({ received }) => received },
              { name: 'out (dashed)', of: ({ sent }) => sent },
            ]}
            limit={null}
            describe={perSecond}
          />
        )}
      </div>
      {samples.some(({ restarts }) => restarts > 0) && <p className="quiet">A red dashed line from top to bottom: it ended by itself and was started again.</p>}
      {untold.length > 0 && <p className="quiet">How much {untold.join(' and ')} an experiment uses cannot be told on this platform.</p>}
      <Meaning measures={measures} />
      <Numbers name={name} metrics={metrics} />
    </>
  );
}

const Finding = ({ finding }: { finding: MetricFinding }): ReactNode => (
  <li>
    <Sign look={checkLooks[finding.tone]} /> {finding.seen} {finding.fix}
  </li>
);

const Meaning = ({ measures }: { measures: readonly MeasureName[] }): ReactNode => (
  <details className="fold">
    <summary>What the numbers mean for participants</summary>
    <ul>
      {measures.includes('core') && (
        <li>
          <strong>Core.</strong> oTree works on one request after the other, with one core. Near the line for minutes, pages come late: a faster core helps, or
          fewer people at once. Far below it, slow pages have another cause: the database, or code that waits for something.
        </li>
      )}
      {measures.includes('memory') && (
        <li>
          <strong>Memory.</strong> What reaches the limit is ended and started again: everybody waits some seconds, and a page that was being sent is lost. If
          it grows from session to session, restart the experiment before the next one, or ask a lab manager for more.
        </li>
      )}
      {measures.includes('network') && (
        <li>
          <strong>Network.</strong> What the experiment’s own code exchanges with other machines. Participants’ pages come by the front door and are not in it.
        </li>
      )}
      <li>
        <strong>A gap.</strong> The experiment did not run, or the panel did not. It is not zero: nobody looked.
      </li>
    </ul>
  </details>
);

type Row = MetricSampleView & { readonly id: string };

function Numbers({ name, metrics }: { name: string; metrics: Metrics }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="fold" onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}>
      <summary>The numbers as a table</summary>
      {isOpen && (
        <>
          <p>
            <DownloadButton path={instanceApi(name, '/metrics/file')} name="Download the numbers of 48 hours as CSV" />{' '}
            <span className="quiet">CSV of 48 hours</span>
          </p>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard */}
          <section className="metric-table" tabIndex={0} aria-label="The numbers, newest first">
            <DataTable name="The last hours" columns={columnsOf(metrics)} rows={metrics.samples.toReversed().map((sample) => ({ ...sample, id: sample.at }))} />
          </section>
        </>
      )}
    </details>
  );
}

function columnsOf(metrics: Metrics): Column<Row>[] {
  const { measures } = metrics;
  const shown = (value: number | null, describe: (value: number) => string): string => (value === null ? '–' : describe(value));
  return [
    { title: 'Until', render: ({ at }) => <time dateTime={at}>{describeClock(Date.parse(at), metrics)}</time> },
    ...(measures.includes('core') ? [{ title: 'Core', render: ({ core }: Row) => shown(core, percent) }] : []),
    ...(measures.includes('memory') ? [{ title: 'Memory', render: ({ memoryBytes }: Row) => shown(memoryBytes, describeBytes) }] : []),
    ...(measures.includes('network')
      ? [
          { title: 'In', render: ({ received }: Row) => shown(received, perSecond) },
          { title: 'Out', render: ({ sent }: Row) => shown(sent, perSecond) },
        ]
      : []),
    {
      title: 'Ended by itself',
      render: ({ restarts, isOutOfMemory }) => (restarts === 0 ? '–' : `${countOf(restarts, 'time')}${isOutOfMemory ? ', out of memory' : ''}`),
    },
  ];
}
