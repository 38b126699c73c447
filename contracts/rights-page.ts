// Who may do what, as a page to read: made from the one table, so that it cannot say anything else.

import { instanceActions, panelActions, standings } from './roles.ts';

/** `instance.reset-database` → “reset database”. */
const wordsOf = (action: string): string => action.slice(action.indexOf('.') + 1).replaceAll('-', ' ');
const rowsOf = (actions: Readonly<Record<string, readonly string[]>>, columns: readonly string[]): string[] =>
  Object.entries(actions).map(
    ([action, allowed]) => `| ${wordsOf(action)} | \`${action}\` | ${columns.map((column) => (allowed.includes(column) ? 'yes' : '·')).join(' | ')} |`,
  );
const headOf = (columns: readonly string[]): string[] => [`| action | right | ${columns.join(' | ')} |`, `|---|---|${columns.map(() => '---').join('|')}|`];

/** The text of docs/rights.md. */
export function rightsPage(): string {
  const panelColumns = ['anyone', 'experimenter', 'manager'];
  const panelRows = Object.fromEntries(
    Object.entries(panelActions).map(([action, allowed]: [string, readonly string[]]) => [action, allowed.includes('anyone') ? panelColumns : allowed]),
  );
  return [
    '# Who may do what',
    '',
    'Made from `contracts/roles.ts`, the table that the server asks at every request; a generated test tries every route with every kind of person.',
    '',
    '## On an instance',
    '',
    'An *owner* is the one person that an instance belongs to; *operate* and *view* are colleagues it is shared with; to a *stranger* it does not exist (404).',
    '',
    ...headOf(standings),
    ...rowsOf(instanceActions, standings),
    '',
    '## On the panel',
    '',
    '*Anyone* needs no account.',
    '',
    ...headOf(panelColumns),
    ...rowsOf(panelRows, panelColumns),
    '',
  ].join('\n');
}
