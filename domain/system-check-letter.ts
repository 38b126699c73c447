// The text for the IT department: complete and polite, with the names and ports of this installation.

import os from 'node:os';
import type { Checked, FirewallRule } from '../contracts/system-check.ts';
import type { Config } from './config.ts';
import type { NameFacts } from './system-check-names.ts';
import { isOnlyHere, hostOf, listed } from './system-check-surroundings.ts';

export type Letter = {
  readonly config: Config;
  readonly names: NameFacts;
  readonly ownAddresses: readonly string[];
  readonly checks: readonly Checked[];
  readonly firewall: readonly FirewallRule[];
};

const ways = { open: 'Please let in from outside:', shut: 'Please keep shut from outside:', out: 'Our machine needs to reach:' } as const;

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines]);

const wanted = ({ config, names, ownAddresses, checks }: Letter): string[] => {
  const requests = checks.flatMap(({ request }) => request ?? []);
  const first =
    names.kind === 'name'
      ? []
      : [
          `Please give our machine (${listed(ownAddresses) || os.hostname()}) a name in DNS, for example otree.DEPARTMENT.UNIVERSITY, ${config.PLATFORM === 'dokku' ? 'and a certificate for it' : 'if possible with a wildcard entry below it (*.otree.DEPARTMENT.UNIVERSITY), and a certificate for both'}.`,
        ];
  return [...first, ...requests].map((text, index) => `${index + 1}. ${text}`);
};

const whereDataAre = ({ PLATFORM, DOKKU_HOST, DOKKU_DOMAIN }: Config): string =>
  PLATFORM === 'dokku'
    ? `The experiments themselves run on a second machine, ${DOKKU_HOST}, with Dokku (https://dokku.com): its nginx shows each of them as NAME.${DOKKU_DOMAIN}, and their data are there; backups are on the first.`
    : 'All of it is served by an nginx; data stay on this machine.';

/** Plain text, lines of any length. */
export function writeLetter(letter: Letter): string {
  const { config, ownAddresses, firewall } = letter;
  const host = hostOf(config);
  const address = isOnlyHere(host) ? '(an address is still to be agreed)' : config.publicUrl.origin;
  const requests = wanted(letter);
  const rules = (way: FirewallRule['way']): string[] => firewall.filter((one) => one.way === way).map(({ ports, what, why }) => `- ${ports}: ${what}. ${why}`);
  return [
    `Subject: Our server for experiments${isOnlyHere(host) ? '' : ` at ${host}`}`,
    '',
    'Dear colleagues,',
    '',
    `we run a server for behavioural experiments with oTree (https://www.otree.org) on the machine ${os.hostname()}${ownAddresses.length > 0 ? ` (${listed(ownAddresses)})` : ''}. Participants take part in their browsers; experimenters sign in at ${address} and send their experiments by git over SSH. ${whereDataAre(config)}`,
    ...section(
      requests.length > 0
        ? 'We would be grateful for your help with the following:'
        : 'By our own check nothing is missing at present. For your records, this is what the server needs:',
      requests,
    ),
    ...(['open', 'shut', 'out'] as const).flatMap((way) => section(ways[way], rules(way))),
    '',
    'If something of this does not fit your rules, please tell us: names, ports and paths below one address can stand in for each other, and every port can be changed.',
    '',
    'Thank you very much, and kind regards',
    '',
  ].join('\n');
}
