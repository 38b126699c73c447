// Https that the panel takes itself: every name's certificate, the files of the folder, the authority, and port 80.

import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { chooseCertificate, daysLeft, stageOf } from './certificate-reading.ts';
import { isAskable } from './certificate-names.ts';
import { readSeen, seenName, type SeenCertificates } from './certificate-seen.ts';
import type { Config } from './config.ts';
import { call } from './system-check-reach.ts';
import { hostOf, listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

const answerMs = 5000;
/** A list of a hundred helps nobody. */
const namedAtMost = 8;
const somebodyElses: Finding = {
  result: 'not-here',
  seen: 'The panel does not take https itself (HTTPS_PORT).',
  means: 'Certificates are the business of a proxy in front.',
};
const nobodyAsked: Finding = {
  result: 'not-here',
  seen: 'The panel gets no certificates by itself (ACME_EMAIL).',
  means: 'They come from the folder for certificates only.',
};

/** @throws Error when the database is not to be reached from here */
async function look({ query }: Surroundings): Promise<SeenCertificates> {
  if (query === null) throw new Error('the panel’s database cannot be asked from here');
  const [setting] = await query<{ value: unknown }>(`SELECT value FROM setting WHERE name = '${seenName}'`);
  const rows = await query<{ chain: string }>('SELECT chain FROM certificate WHERE chain IS NOT NULL');
  return readSeen(
    setting?.value,
    rows.map(({ chain }) => chain),
  );
}

const some = (names: readonly string[]): string =>
  names.length <= namedAtMost ? listed(names) : `${names.slice(0, namedAtMost).join(', ')} and ${names.length - namedAtMost} more`;

/** What to ask the IT department for; the wildcard says it in one line. */
function requestFor(config: Config, hostNames: readonly string[]): string {
  const host = hostOf(config);
  const below = hostNames.filter((name) => name.endsWith(`.${host}`));
  const names = below.length > 1 ? [...hostNames.filter((name) => !below.includes(name)), `*.${host}`] : hostNames;
  return `Please provide a certificate that holds ${listed(names)}, as PEM files: the certificate followed by those of the authorities between, and its private key without a password (we can send a request, CSR, if you prefer). Please tell us how it is renewed.`;
}

async function checkNames(surroundings: Surroundings): Promise<Finding> {
  const { config } = surroundings;
  if (config.HTTPS_PORT === undefined) return somebodyElses;
  const { seenAt, hostNames, choosable } = await look(surroundings);
  if (seenAt === null)
    return { result: 'unknown', seen: 'The worker has not looked for certificates yet.', means: 'It does so every minute while the panel runs.' };
  const now = new Date();
  const found = hostNames.map((hostName) => ({ hostName, facts: chooseCertificate(choosable, hostName, now)?.facts ?? null }));
  const missing = found.flatMap(({ hostName, facts }) => (facts === null ? [hostName] : []));
  const ending = found.flatMap(({ hostName, facts }) => (facts !== null && ['soon', 'late'].includes(stageOf(facts, now)) ? [hostName] : []));
  const fix = `See “Certificates” on the System page; files belong into ${config.certificatesDir}.`;
  if (missing.length > 0)
    return {
      result: 'bad',
      seen: `There is no certificate for ${some(missing)}.`,
      means: 'Browsers cannot open these names.',
      fix,
      request: requestFor(config, missing),
    };
  const fewest = Math.min(...found.flatMap(({ facts }) => (facts === null ? [] : [Math.floor(daysLeft(facts, now))])));
  if (ending.length > 0)
    return {
      result: found.some(({ facts }) => facts !== null && stageOf(facts, now) === 'late') ? 'bad' : 'attention',
      seen: `Certificates of ${some(ending)} were not renewed; ${fewest} days are left.`,
      means: 'Browsers warn everybody away afterwards.',
      fix,
      request: requestFor(config, ending),
    };
  const all = found.length === 1 ? 'The panel’s name has a certificate' : `All ${found.length} names have a certificate`;
  return { result: 'good', seen: `${all}; at least ${fewest} days are left.`, means: 'Nothing has to be done by hand until it is told.' };
}

async function checkFiles(surroundings: Surroundings): Promise<Finding> {
  if (surroundings.config.HTTPS_PORT === undefined) return somebodyElses;
  const { files } = await look(surroundings);
  const { certificatesDir } = surroundings.config;
  if (files.length === 0)
    return { result: 'not-here', seen: `There is none in ${certificatesDir}.`, means: 'That is as it should be where an authority is asked by ACME.' };
  const broken = files.filter(({ problem }) => problem !== null);
  const doubtful = files.filter(({ warning }) => warning !== null);
  const [first] = [...broken, ...doubtful];
  if (first)
    return {
      result: 'attention',
      seen: [...broken, ...doubtful].map(({ file, problem, warning }) => `${file}: ${problem ?? warning}`).join(' '),
      means: 'What cannot be used is left aside; the others are shown all the same.',
      fix: `Put right what is said, in ${certificatesDir}; it is looked at every minute.`,
    };
  return {
    result: 'good',
    seen: `${files.length === 1 ? 'One file' : `${files.length} files`} in ${certificatesDir}, all usable.`,
    means: 'A changed file is found within a minute.',
  };
}

async function checkAuthority({ config }: Surroundings): Promise<Finding> {
  if (config.ACME_EMAIL === undefined) return nobodyAsked;
  const { host } = new URL(config.ACME_DIRECTORY_URL);
  const problem = await askDirectory(config);
  if (problem === null) return { result: 'good', seen: `${host} answers.`, means: 'Certificates can be asked for from here.' };
  return {
    result: 'bad',
    seen: `${host} cannot be asked (${problem}).`,
    means: 'No certificate can be got or renewed.',
    fix: 'Let this machine connect there by https; for an authority of your own set ACME_CA_FILE.',
    request: `Please let our machine connect to ${host} by https: it gets its certificates there (ACME).`,
  };
}

/** Why the directory cannot be read, null: it can. Never throws. */
async function askDirectory({ ACME_DIRECTORY_URL, ACME_CA_FILE }: Config): Promise<string | null> {
  const ca = ACME_CA_FILE === undefined ? undefined : await readFile(ACME_CA_FILE, 'utf8').catch(() => null);
  if (ca === null) return 'ACME_CA_FILE cannot be read';
  // Without a name an ACME server does not answer (RFC 8555 §6.1).
  const headers = { 'User-Agent': 'arboretum-system-check' };
  return new Promise((resolve) => {
    const request = https.get(ACME_DIRECTORY_URL, { timeout: answerMs, agent: false, headers, ...(ca ? { ca } : {}) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? null : `it answers with status ${response.statusCode}`);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function checkPort80({ config }: Surroundings): Promise<Finding> {
  if (config.ACME_EMAIL === undefined) return nobodyAsked;
  const host = hostOf(config);
  if (!isAskable(host)) return { result: 'not-here', seen: `No authority gives a certificate for ${host}.`, means: 'It is no name that others can look up.' };
  const answer = await call(new URL(`http://${host}/.well-known/acme-challenge/arboretum-check`), {});
  const request = `Please let port 80 of ${host} through to our machine from the whole internet: the certificate authority looks there before it gives a certificate (ACME, HTTP-01), and from changing addresses.`;
  if (typeof answer === 'string')
    return {
      result: 'bad',
      seen: `Nobody answers at http://${host} on port 80 (${answer}), asked from this machine.`,
      means: 'The authority finds no proof, so there is no certificate.',
      fix: 'Start the panel with PORT=80, or let whatever has port 80 pass /.well-known/acme-challenge/ on to it.',
      request,
    };
  if ((answer.statusCode ?? 0) >= 300 && (answer.statusCode ?? 0) < 400)
    return {
      result: 'attention',
      seen: `http://${host}/.well-known/acme-challenge/ is sent on to ${answer.headers.location ?? 'somewhere else'}.`,
      means: 'The panel itself does not do that there: something in front does, and the authority may not arrive here.',
      fix: 'Let what is in front pass /.well-known/acme-challenge/ on as it is.',
      request,
    };
  return {
    result: 'good',
    seen: `Port 80 of ${host} answers, asked from this machine.`,
    means: 'Whether it does from the internet can only be seen from there: the first attempt at a certificate says so.',
  };
}

export const ownCertificateChecks: readonly Check[] = [
  { id: 'certificates', group: 'addresses', title: 'Certificates of all names', run: checkNames },
  { id: 'certificate-files', group: 'addresses', title: 'Files of certificates', run: checkFiles },
  { id: 'acme', group: 'addresses', title: 'The certificate authority (ACME)', run: checkAuthority },
  { id: 'port-80', group: 'addresses', title: 'Port 80 for the certificate authority', run: checkPort80 },
];
