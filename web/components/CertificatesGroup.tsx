// Certificates on the System page: what each host name shows, why one has none, and what lies in the folder.

import { Fragment, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Button, Message } from 'semantic-ui-react';
import type { CertificateName, CertificatesView } from '../../contracts/certificates.ts';
import { isBusy, lookOf, needsLook, useCertificates, useTryCertificate } from '../certificates.ts';
import { useTens } from '../clock.ts';
import { describeDate, describeExactly, describeUntil } from '../times.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { CertificateFiles } from './CertificateFiles.tsx';
import { Commands } from './Commands.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { FactGroup } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { Sign } from './Sign.tsx';

/** So many are shown at once; of more, those that are well are folded away. */
const shownAtOnce = 6;

export function CertificatesGroup(): ReactNode {
  return (
    <FactGroup title="Certificates" aside={<a href="/help/certificates">What goes where</a>}>
      <Answer query={useCertificates()}>{(view) => (view.takesHttps ? <Names view={view} /> : <NotHere />)}</Answer>
    </FactGroup>
  );
}

const NotHere = (): ReactNode => (
  <p>
    The panel does not take https itself, so it needs no certificates: a proxy in front holds them, or there is no encryption. To let the panel take it, start
    it with <code>PORT=80</code>, <code>HTTPS_PORT=443</code> and a <code>PUBLIC_URL</code> that begins with https.
  </p>
);

function Names({ view }: { view: CertificatesView }): ReactNode {
  const { names } = view;
  const isFolded = names.length > shownAtOnce;
  const first = isFolded ? names.filter(needsLook) : names;
  const folded = isFolded ? names.filter((name) => !needsLook(name)) : [];
  return (
    <>
      <p className="quiet">
        {view.authority === null ? 'No authority is asked' : `${view.authority} is asked by ACME`}; the folder <code>{view.folder}</code>{' '}
        {view.seenAt === null ? (
          'has not been looked at yet.'
        ) : (
          <>
            was looked at <Ago at={view.seenAt} />.
          </>
        )}
      </p>
      <Advice view={view} />
      {first.length > 0 && <NameTable title="Host names" names={first} />}
      {folded.length > 0 && (
        <details>
          <summary>
            {folded.length === names.length ? `All ${names.length} host names have a good certificate` : `${folded.length} more have a good certificate`}
          </summary>
          <NameTable title="Host names with a good certificate" names={folded} />
        </details>
      )}
      <CertificateFiles files={view.files} />
    </>
  );
}

/** What to put where, as long as a name has nothing to show. */
function Advice({ view: { authority, folder, names } }: { view: CertificatesView }): ReactNode {
  const missing = names.filter(({ certificate, isAsked }) => certificate === null && !isAsked).map(({ hostName }) => hostName);
  if (missing.length === 0) return null;
  return (
    <Message warning>
      <Message.Header>{missing.length === 1 ? `${missing[0]} has no certificate` : `${missing.length} host names have no certificate`}</Message.Header>
      <p>
        Browsers cannot open {missing.length === 1 ? 'it' : 'them'} by https.{' '}
        {authority === null ? 'There are two ways:' : 'No authority can be asked for such a name:'}
      </p>
      <ul>
        <li>
          Ask the IT department for a certificate that holds {missing.length === 1 ? 'this name' : 'these names, or one wildcard for all of them'}. Put it into{' '}
          <code>{folder}</code> as <code>NAME.pem</code> (the host’s own certificate first, then those of its authorities) with <code>NAME.key</code>. It is
          found within a minute.
        </li>
        {authority === null && (
          <li>
            Or start the panel with <code>ACME_EMAIL</code>: it then gets and renews them by itself. For that, port 80 of this machine must be open from the
            internet.
          </li>
        )}
      </ul>
      <Commands lines={missing} what="host names" />
    </Message>
  );
}

function NameTable({ title, names }: { title: string; names: readonly CertificateName[] }): ReactNode {
  return <DataTable name={title} columns={columns} rows={names.map((name) => ({ ...name, id: name.hostName }))} />;
}

const columns: readonly Column<CertificateName>[] = [
  { title: 'Host name', render: ({ hostName }) => <HostName name={hostName} /> },
  { title: 'How it is', render: (name) => <State name={name} /> },
  { title: 'Certificate', render: (name) => <Shown name={name} /> },
  { title: 'Try again', isTitleHidden: true, render: (name) => <TryAgain name={name} /> },
];

/** Breaks at its dots first. */
function HostName({ name }: { name: string }): ReactNode {
  return (
    <span className="breaks">
      {name.split('.').map((label, at) => (
        <Fragment key={at}>
          {at > 0 && (
            <>
              .<wbr />
            </>
          )}
          {label}
        </Fragment>
      ))}
    </span>
  );
}

function State({ name }: { name: CertificateName }): ReactNode {
  const nowMs = useTens();
  const { error, nextTryAt, job } = name;
  return (
    <div>
      <Sign look={lookOf(name)} />
      {error !== null && !isBusy(name) && (
        <p className="note">
          {error.sentence} <strong>{error.hint}</strong> {nextTryAt !== null && <>The panel tries again {describeUntil(nextTryAt, nowMs)}. </>}
          {job !== null && <Link to={`/jobs/${job.id}`}>Log of the attempt</Link>}
        </p>
      )}
      {error !== null && error.saying !== null && !isBusy(name) && <p className="note quiet">The authority says: {error.saying}</p>}
    </div>
  );
}

function Shown({ name: { certificate } }: { name: CertificateName }): ReactNode {
  if (certificate === null) return <span className="quiet">nothing to show</span>;
  const { file, issuer, expiresAt } = certificate;
  return (
    <div>
      {issuer}
      <p className="note quiet">
        {file === null ? 'by ACME' : <code>{file}</code>}, until{' '}
        <time dateTime={expiresAt} title={describeExactly(expiresAt)}>
          {describeDate(expiresAt)}
        </time>
      </p>
    </div>
  );
}

function TryAgain({ name }: { name: CertificateName }): ReactNode {
  const attempt = useTryCertificate();
  const { hostName, isAsked, certificate, job } = name;
  if (isBusy(name)) return job && <Link to={`/jobs/${job.id}`}>Follow it</Link>;
  if (!isAsked || certificate?.stage === 'good') return null;
  return (
    <>
      <Button
        type="button"
        basic
        compact
        className="one-line"
        aria-label={`Try again for ${hostName}`}
        loading={attempt.isPending}
        disabled={attempt.isPending}
        onClick={() => attempt.mutate(hostName)}
      >
        Try again
      </Button>
      {attempt.error && <ProblemMessage error={attempt.error} />}
    </>
  );
}
