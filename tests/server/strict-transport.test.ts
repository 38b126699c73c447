// Whether the panel tells browsers to insist on https: what the setting says, and never without https.

import { expect, it } from 'vitest';
import { startPanel } from './panel.ts';

it.each([
  ['https://lab.example', '90', `max-age=${90 * 86_400}`],
  ['https://lab.example', '0', null],
  ['http://lab.example', '90', null],
])('at %s with HSTS_DAYS=%s: %s', async (url, days, header) => {
  const panel = await startPanel({ PUBLIC_URL: url, HSTS_DAYS: days });
  const answer = await fetch(`${panel.url}/api/v1/me`);
  expect(answer.headers.get('strict-transport-security')).toBe(header);
  await panel.close();
});
