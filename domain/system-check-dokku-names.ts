// The way of participants to a Dokku host: the names of instances in DNS, and the host's nginx behind them.

import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import { askedAtMost, lostNames } from './system-check-names.ts';
import { call } from './system-check-reach.ts';
import { isAddress, isOnlyHere, listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

type Way = {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  /** Addresses of the host as DNS, or else this machine, knows it. */
  readonly ofHost: readonly string[];
  /** Addresses of a name under the domain that nobody has entered. */
  readonly ofNames: readonly string[];
  readonly dnsProblem: string | null;
};

export type WithWay = Surroundings & { readonly dokkuWay: Promise<Way> };

/** Asks DNS once for all checks; never throws. */
export async function lookAtWay({ config, names }: Surroundings): Promise<Way> {
  const { domain, host, port } = settingsOf(config);
  const base = { domain, host, port, ofHost: [], ofNames: [], dnsProblem: null };
  if (config.PLATFORM !== 'dokku') return base;
  const ofHost = isAddress(host) ? [host] : await addressesOf(names, host).catch(() => names.lookUp(host));
  if (isOnlyHere(domain)) return { ...base, ofHost, ofNames: ['127.0.0.1'] };
  try {
    return { ...base, ofHost, ofNames: await addressesOf(names, `arboretum-check-${randomBytes(3).toString('hex')}.${domain}`) };
  } catch (error) {
    return { ...base, ofHost, dnsProblem: error instanceof Error ? error.message : String(error) };
  }
}

const settingsOf = (config: Config) => ({ domain: config.DOKKU_DOMAIN ?? '', host: config.DOKKU_HOST ?? '', port: config.DOKKU_HTTP_PORT });

async function addressesOf(names: Surroundings['names'], name: string): Promise<readonly string[]> {
  const { v4, v6 } = await names.resolve(name);
  // What has no entry may stand in this machine's own list of hosts: enough for the panel's own way there.
  return v4.length + v6.length > 0 || name.startsWith('arboretum-check-') ? [...v4, ...v6] : await names.lookUp(name);
}

const noDns = (way: Way): Finding => ({
  result: 'unknown',
  seen: `DNS could not be asked: ${way.dnsProblem}.`,
  means: `Nobody can say from here whether names under ${way.domain} lead to ${way.host}.`,
  fix: 'Look at the DNS servers of this machine (/etc/resolv.conf), or run the check again later.',
});

const withAddresses = ({ host, ofHost }: Way): string => (isAddress(host) || ofHost.length === 0 ? host : `${host} (${listed(ofHost)})`);

async function checkDomain({ dokkuWay }: WithWay): Promise<Finding> {
  const way = await dokkuWay;
  const { domain, ofNames, ofHost } = way;
  if (way.dnsProblem !== null) return noDns(way);
  if (isOnlyHere(domain))
    return { result: 'good', seen: `Browsers take every name under ${domain} for this machine.`, means: 'Instances can be opened on this machine only.' };
  const request = `Please make a wildcard entry *.${domain} that leads to ${withAddresses(way)}, so that each experiment has an address of its own there.`;
  if (ofNames.length === 0)
    return {
      result: 'bad',
      seen: `A made-up name under ${domain} is not known to DNS: there is no wildcard entry.`,
      means: 'Participants find no new instance, unless each gets an entry of its own.',
      fix: 'Have the wildcard entry made, or set DOKKU_DOMAIN to a name that has one.',
      request,
    };
  const seen = `Made-up names under ${domain} lead to ${listed(ofNames)}.`;
  if (ofNames.some((address) => ofHost.includes(address))) return { result: 'good', seen, means: 'That is the Dokku host: each instance is found there.' };
  return {
    result: 'attention',
    seen: `${seen} The Dokku host is ${withAddresses(way)}.`,
    means: 'They lead elsewhere: right when a proxy stands in front of the Dokku host, wrong otherwise.',
    fix: 'Open an instance from another computer. If something else answers, the DNS entry must change.',
    request,
  };
}

async function checkNames({ query, names, dokkuWay }: WithWay): Promise<Finding> {
  const way = await dokkuWay;
  if (!query) return { result: 'unknown', seen: 'The panel’s database cannot be read from here.', means: 'Which instances there are is not known.' };
  const rows = await query<{ name: string }>(`SELECT name FROM instance WHERE deleted_at IS NULL ORDER BY created_at LIMIT ${askedAtMost}`);
  if (rows.length === 0) return { result: 'not-here', seen: 'There is no instance.', means: 'There is nothing to look up.' };
  if (isOnlyHere(way.domain)) return { result: 'good', seen: `${rows.length} under ${way.domain}.`, means: 'Browsers on this machine find them all.' };
  const hosts = rows.map(({ name }) => `${name}.${way.domain}`);
  const lost = await lostNames(names, hosts, [...way.ofHost, ...way.ofNames]);
  if (lost.length === 0) return { result: 'good', seen: `All ${rows.length} looked up are found.`, means: 'Participants find every experiment by its name.' };
  return {
    result: 'bad',
    seen: `${lost.length} of ${rows.length} do not lead to the Dokku host: ${listed(lost.slice(0, 5))}${lost.length > 5 ? ', …' : ''}.`,
    means: 'Links to these experiments do not work.',
    fix: 'Have the names (or a wildcard entry) made.',
    request: `Please make DNS entries for ${listed(lost)}, leading to ${withAddresses(way)} (or a wildcard entry *.${way.domain}).`,
  };
}

/** The panel goes to the host itself, participants to where DNS sends them. */
async function checkNginx({ query, dokkuWay }: WithWay): Promise<Finding> {
  const { domain, host, port, ofHost, ofNames } = await dokkuWay;
  const elsewhere = ofNames.find((address) => !ofHost.includes(address) && !isOnlyHere(domain));
  const places = [host, ...(elsewhere === undefined ? [] : [elsewhere])];
  const answers = await Promise.all(
    places.map(async (place) => {
      const url = new URL(`http://${place.includes(':') ? `[${place}]` : place}:${port}/`);
      const answer = await call(url, { Host: `arboretum-check.${domain}` });
      return typeof answer === 'string' ? { place, how: answer, server: null } : { place, how: '', server: String(answer.headers.server ?? 'A web server') };
    }),
  );
  const silent = answers.filter(({ server }) => server === null);
  const request = `Please let participants, and our machine, reach port ${port}/tcp of ${listed(places)}.`;
  if (silent.length > 0 && (await query?.<{ name: string }>('SELECT name FROM instance WHERE deleted_at IS NULL LIMIT 1'))?.length === 0)
    return {
      result: 'unknown',
      seen: `Nobody answers at ${listed(silent.map(({ place }) => `${place}, port ${port}`))}, and there is no instance yet.`,
      means: 'Without any app Dokku’s nginx may listen nowhere: this shows when the first instance is made.',
      fix: 'Check again then.',
      request,
    };
  if (silent.length > 0)
    return {
      result: 'bad',
      seen: `Nobody answers at ${listed(silent.map(({ place, how }) => `${place}, port ${port} (${how})`))}.`,
      means: silent.some(({ place }) => place === host)
        ? 'The panel cannot see whether an experiment has started, so every start fails.'
        : 'Participants come to nothing; the panel’s own way to the host is open.',
      fix: 'See that nginx runs on the Dokku host, and compare DOKKU_HTTP_PORT with the port on which it listens.',
      request,
    };
  return {
    result: 'good',
    seen: `${listed(answers.map(({ place, server }) => `${server} answers at ${place}, port ${port}`))}.`,
    means: 'Dokku’s nginx takes participants to the instances.',
  };
}

async function checkAddresses({ dokkuWay, config, query }: WithWay): Promise<Finding> {
  const { domain, port } = await dokkuWay;
  const ignored = config.ADDRESS_MODE === 'auto' ? '' : ` ADDRESS_MODE=${config.ADDRESS_MODE} has no effect.`;
  const plain = await query?.<{ name: string }>(
    `SELECT name FROM instance WHERE deleted_at IS NULL AND front_certificate_until IS NULL ORDER BY created_at LIMIT ${askedAtMost}`,
  );
  const all = `NAME.${domain}, served by the Dokku host’s nginx`;
  if (plain?.length === 0 && (await query?.('SELECT 1 FROM instance WHERE deleted_at IS NULL LIMIT 1'))?.length === 1)
    return { result: 'good', seen: `Every instance is https://${all}.${ignored}`, means: 'Nobody on the way can read what participants answer.' };
  const seen = `Instances are http://NAME.${domain}${port === 80 ? '' : `:${port}`}, served by the Dokku host’s nginx; https where they have a certificate.${ignored}`;
  if (isOnlyHere(domain)) return { result: 'good', seen, means: 'Nothing goes over a network.' };
  return {
    result: 'attention',
    seen,
    means:
      'There is no encryption on the way to one without a certificate: answers of participants can be read by others. In a laboratory’s own network this may do.',
    fix: 'For studies online, give instances a certificate: set DOKKU_LETSENCRYPT_EMAIL (with the plugin letsencrypt on the host), or put yours into CERTIFICATES_DIR.',
  };
}

export const dokkuNameChecks: readonly Check<WithWay>[] = [
  { id: 'dokku-addresses', group: 'addresses', title: 'Kind of address', on: 'dokku', run: checkAddresses },
  { id: 'dokku-domain', group: 'addresses', title: 'Names for instances on the Dokku host', on: 'dokku', run: checkDomain },
  { id: 'dokku-names', group: 'addresses', title: 'Names of the instances', on: 'dokku', run: checkNames },
  { id: 'dokku-nginx', group: 'ports', title: 'The Dokku host’s nginx', on: 'dokku', run: checkNginx },
];
