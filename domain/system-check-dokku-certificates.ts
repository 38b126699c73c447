// Certificates with which a Dokku host shows instances: which ones, how long they last, and what to do.

import { listed, type Check, type Finding } from './system-check-surroundings.ts';
import type { WithDokku } from './system-check-dokku.ts';

type Row = { readonly name: string; readonly until: Date | null };

const dayMs = 86_400_000;
/** An authority's certificate is renewed a month before its end: below this something is wrong. */
const soonDays = 14;
const named = 10;

const daysLeft = (until: Date): number => Math.floor((until.getTime() - Date.now()) / dayMs);
const saysDays = (days: number): string => (days < 0 ? 'has run out' : days === 1 ? '1 day left' : `${days} days left`);

/** As the panel last saw it, at most a minute ago for those that run. */
async function checkCertificates({ query, dokkuFacts, config }: WithDokku): Promise<Finding> {
  if (!query) return { result: 'unknown', seen: 'The panel’s database cannot be read from here.', means: 'Which instances have a certificate is not known.' };
  const rows = await query<Row>('SELECT name, front_certificate_until AS until FROM instance WHERE deleted_at IS NULL ORDER BY front_certificate_until, name');
  const found = rows.flatMap(({ name, until }) => (until === null ? [] : [{ name, days: daysLeft(new Date(until)) }]));
  const missing = missingPlugin(config.DOKKU_LETSENCRYPT_EMAIL, (await dokkuFacts).report?.plugins);
  const seen = `${missing}${saysWhich(found, rows.length)}`;
  const ending = found.filter(({ days }) => days < soonDays);
  if (ending.length > 0)
    return {
      result: ending.some(({ days }) => days < 0) ? 'bad' : 'attention',
      seen,
      means: 'When a certificate has run out, browsers warn participants off.',
      fix: 'Put a newer one into CERTIFICATES_DIR, or have the plugin letsencrypt renew it: as root on the host, dokku letsencrypt:cron-job --add',
    };
  if (missing !== '')
    return {
      result: 'attention',
      seen,
      means: 'Instances without a certificate of yours get none.',
      fix: 'As root on the host: dokku plugin:install https://github.com/dokku/dokku-letsencrypt.git',
    };
  if (found.length === 0) return { result: 'not-here', seen, means: 'Instances are shown over plain http.' };
  return { result: 'good', seen, means: 'Participants reach these instances over https.' };
}

const missingPlugin = (email: string | undefined, plugins: readonly { readonly name: string }[] | undefined): string =>
  email !== undefined && plugins !== undefined && !plugins.some(({ name }) => name === 'letsencrypt')
    ? 'DOKKU_LETSENCRYPT_EMAIL is set, but the host has no plugin letsencrypt. '
    : '';

function saysWhich(found: readonly { readonly name: string; readonly days: number }[], all: number): string {
  if (found.length === 0) return 'No instance has a certificate.';
  const shown = found.slice(0, named).map(({ name, days }) => `${name} (${saysDays(days)})`);
  return `${found.length} of ${all} have one: ${listed(shown)}${found.length > named ? ', …' : ''}.`;
}

export const dokkuCertificateChecks: readonly Check<WithDokku>[] = [
  { id: 'dokku-certificates', group: 'addresses', title: 'Certificates on the Dokku host', on: 'dokku', run: checkCertificates },
];
