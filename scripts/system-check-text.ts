// The system check as plain text.

import { checkGroups, elsewhere, type Capacity, type Checked, type CheckResult, type FirewallRule, type SystemCheck } from '../contracts/system-check.ts';

type Words = {
  readonly publicUrl: string;
  /** File of the service's settings, when they were used. */ readonly source: string | null;
  readonly isPanelRunning: boolean;
};

const marks: Readonly<Record<CheckResult, string>> = {
  good: '✓ good',
  attention: '! needs attention',
  bad: '✗ bad',
  unknown: '? unknown',
  'not-here': '– not here',
};

/** Everything that was found, with the text for the IT department at the end. */
export function describeSystemCheck(result: SystemCheck, { publicUrl, source, isPanelRunning }: Words): string {
  const count = (which: CheckResult): number => result.checks.filter((check) => check.result === which).length;
  const groups = Object.entries(checkGroups).flatMap(([group, heading]) => [
    '',
    heading,
    ...result.checks.filter((check) => check.group === group).flatMap(describeCheck),
  ]);
  return [
    `System check of ${publicUrl}, ${result.at.slice(0, 16).replace('T', ' ')} UTC`,
    ...(source === null ? [] : [`  with the settings of the service (${source})`]),
    ...(isPanelRunning ? [] : ['  The panel is not running; what can be seen without it was looked at.']),
    ...groups,
    '',
    'Firewall',
    ...result.firewall.map(describeRule),
    '',
    'How much this machine takes',
    ...describeCapacity(result.capacity),
    '',
    'A text for your IT department',
    '----------------------------------------------------------------------',
    result.letter.trimEnd(),
    '----------------------------------------------------------------------',
    '',
    `${count('good')} good, ${count('attention')} need attention, ${count('bad')} bad, ${count('unknown')} unknown, ${count('not-here')} not here.`,
  ].join('\n');
}

const describeCheck = ({ title, result, seen, means, fix }: Checked): string[] => [
  `  ${marks[result]}: ${title}`,
  `      ${seen}`,
  `      ${means}`,
  ...(fix === null ? [] : [`      → ${fix}`]),
];

const ways: Readonly<Record<FirewallRule['way'], string>> = { open: 'let in', shut: 'keep shut', out: 'let out' };

const describeRule = ({ way, ports, what, why }: FirewallRule): string => `  ${ways[way].padEnd(9)}  ${ports}: ${what}. ${why}`;

const describeCapacity = (capacity: Capacity | null): string[] => (capacity === null ? [`  ${elsewhere}`] : describeHere(capacity));

const describeHere = ({ instances, peopleInOne, peopleInAll, steps }: Capacity): string[] => [
  `  About ${instances} instances side by side; about ${peopleInOne} people at once in one experiment, about ${peopleInAll} in all.`,
  ...steps.map((step) => `      ${step}`),
];
