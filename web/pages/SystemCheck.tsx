// The system check, for managers: names, ports, certificate, machine, services; how much the machine takes; a text for the IT department.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import { checkGroups, elsewhere, type Capacity, type FirewallRule, type SystemCheck as Result } from '../../contracts/system-check.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer, Empty } from '../components/Answer.tsx';
import { CareList, CheckList } from '../components/CheckList.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { ProblemMessage } from '../components/ProblemMessage.tsx';
import { Sign } from '../components/Sign.tsx';
import { useMay } from '../panel.ts';
import { useCheckNow, useLastCheck, wayLooks } from '../system-check.ts';
import { describeDuration } from '../times.ts';
import { useTitle } from '../title.ts';

export function SystemCheck(): ReactNode {
  useTitle('System check');
  return useMay('system.check') ? (
    <Check />
  ) : (
    <>
      <h1>System check</h1>
      <p>Only lab managers see this page.</p>
    </>
  );
}

function Check(): ReactNode {
  const last = useLastCheck();
  const check = useCheckNow();
  const button = (
    <Button type="button" primary loading={check.isPending} disabled={check.isPending} onClick={() => check.mutate()}>
      {last.data ? 'Check again' : 'Check now'}
    </Button>
  );
  return (
    <>
      <p>
        <Link to="/system">‹ System</Link>
      </p>
      <div className="page-head">
        <h1>System check</h1>
        <span className="spring" />
        {last.data && button}
      </div>
      <p role="status" className="quiet">
        {check.isPending ? 'Looking at names, ports and services. This takes some seconds.' : last.data && <When result={last.data} />}
      </p>
      {check.error && <ProblemMessage error={check.error} onRetry={() => check.mutate()} />}
      <Answer query={last}>{(result) => (result === null ? <Never button={button} /> : <Found result={result} />)}</Answer>
    </>
  );
}

const When = ({ result }: { result: Result }): ReactNode => (
  <>
    Checked <Ago at={result.at} />, in {describeDuration(result.tookMs)}. <a href="#firewall">Firewall</a> and <a href="#letter">text for the IT department</a>{' '}
    below. <a href="/help/system-check">what is checked</a>.
  </>
);

const Never = ({ button }: { button: ReactNode }): ReactNode => (
  <Empty title="Nobody has checked yet">
    <p>
      The check looks at this panel’s names, ports, certificate, disk and services, says what they mean, and writes a text for your IT department. It changes
      nothing and sends no mail.
    </p>
    {button}
  </Empty>
);

function Found({ result }: { result: Result }): ReactNode {
  return (
    <>
      <CareList checks={result.checks} />
      {Object.entries(checkGroups).map(([group, title]) => (
        <CheckList key={group} title={title} checks={result.checks.filter((check) => check.group === group)} />
      ))}
      {result.capacity === null ? <RoomElsewhere /> : <Room capacity={result.capacity} />}
      <div id="firewall" className="anchor">
        <FactGroup title="Firewall">
          <DataTable name="Ports for the firewall" columns={columns} rows={result.firewall} />
        </FactGroup>
      </div>
      <div id="letter" className="anchor">
        <Letter text={result.letter} />
      </div>
    </>
  );
}

const columns: readonly Column<FirewallRule>[] = [
  { title: 'Please', render: ({ way }) => <Sign look={wayLooks[way]} /> },
  { title: 'Ports', render: ({ ports }) => <span className="one-line numbers">{ports}</span> },
  { title: 'What', render: ({ what }) => <span className="breaks">{what}</span> },
  { title: 'Why', render: ({ why }) => why },
];

function Room({ capacity: { cores, memoryMib, instances, peopleInOne, peopleInAll, steps } }: { capacity: Capacity }): ReactNode {
  return (
    <FactGroup title="How much this machine takes">
      <p>
        About <strong>{instances.toLocaleString('en')} instances</strong> side by side. About <strong>{peopleInOne.toLocaleString('en')} people</strong> at once
        in one experiment, about <strong>{peopleInAll.toLocaleString('en')}</strong> in all.
      </p>
      <details className="fold">
        <summary>
          How this was reckoned{' '}
          <small className="quiet">
            {cores === 1 ? '1 core' : `${cores} cores`}, {memoryMib.toLocaleString('en')} MiB
          </small>
        </summary>
        <ul>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ul>
      </details>
    </FactGroup>
  );
}

const RoomElsewhere = (): ReactNode => (
  <FactGroup title="How much this machine takes">
    <p>{elsewhere}</p>
  </FactGroup>
);

const Letter = ({ text }: { text: string }): ReactNode => (
  <FactGroup title="A text for your IT department" aside={<CopyButton text={text} what="the text for the IT department" />}>
    <p>It names this installation’s own names and ports. Change what you like, and send it.</p>
    <pre className="letter">{text}</pre>
  </FactGroup>
);
