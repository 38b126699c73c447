// Containers that a Dokku host left running beside the right ones, as the panel saw them.

import { listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

async function checkDoubled({ query }: Surroundings): Promise<Finding> {
  if (!query) return { result: 'unknown', seen: 'The panel’s database cannot be read from here.', means: 'What was seen of containers is not known.' };
  const rows = await query<{ name: string }>(
    "SELECT name FROM instance WHERE deleted_at IS NULL AND state_detail LIKE 'A second container of it%' ORDER BY name",
  );
  if (rows.length === 0) return { result: 'good', seen: 'No instance has a second container.', means: 'Every experiment runs once.' };
  return {
    result: 'attention',
    seen: `A second container runs of ${listed(rows.map(({ name }) => name))}.`,
    means: 'It works on the same data: what oTree does by the clock, such as timeouts of pages, may be done twice.',
    fix: 'Dokku clears it away every five minutes, where its timer runs. Otherwise, as root on the host: dokku ps:retire',
  };
}

export const dokkuDoubledChecks: readonly Check[] = [
  { id: 'dokku-doubled', group: 'services', title: 'Containers on the Dokku host', on: 'dokku', run: checkDoubled },
];
