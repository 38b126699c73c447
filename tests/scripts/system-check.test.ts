// `npm run system-check` as people run it: the real command, on folders of its own, without a panel.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { freePorts } from '../free-ports.ts';
import { catchMails } from '../smtp-catcher.ts';

const root = path.join(import.meta.dirname, '..', '..');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-terminal-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function check(more: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; output: string }> {
  const [port, gitPort] = await freePorts(2);
  const env = { PORT: String(port), GIT_SSH_PORT: String(gitPort), DATA_DIR: path.join(home, 'data'), RUN_DIR: path.join(home, 'run'), ...more };
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'start.mjs'), 'system-check'], { cwd: root, env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

it('says that the panel is not running, looks at what is left, and ends well', async () => {
  const { code, output } = await check();
  expect(output).toContain('The panel is not running; what can be seen without it was looked at.');
  expect(output).toMatch(/(✓ good|! needs attention): Disk\n/);
  expect(output).toContain('– not here: The worker\n');
  expect(output).toContain('Dear colleagues,');
  expect(output).toMatch(/\d+ good, \d+ need attention, 0 bad, \d+ unknown, \d+ not here\.\n$/);
  expect(code).toBe(0);
});

it('ends with 1 when something is bad, and names it at the end', async () => {
  const gone = await catchMails();
  await gone.close();
  const { code, output } = await check({ SMTP_URL: gone.url, MAIL_FROM: 'lab@lab.example', PUBLIC_URL: 'http://localhost:9' });
  expect(output).toContain('✗ bad: Mail\n');
  expect(output).toMatch(/1 of \d+ checks are bad: Mail\./);
  expect(code).toBe(1);
});

it('takes the settings of the service where the environment says nothing', async () => {
  const service = path.join(home, 'data', 'service');
  mkdirSync(service, { recursive: true });
  writeFileSync(path.join(service, 'settings.env'), "PUBLIC_URL='http://127.0.0.1:9'\nMAIL_FROM='lab@lab.example'\nGIT_SSH_PORT='1'\n");
  const { code, output } = await check({ PUBLIC_URL: '', MAIL_FROM: '' });
  // Half of a setting: a start would be refused for it, too.
  expect(output).toContain('SMTP_URL and MAIL_FROM go together.');
  expect(code).toBe(78);
  writeFileSync(path.join(service, 'settings.env'), "PUBLIC_URL='http://127.0.0.1:9'\nGIT_SSH_PORT='1'\n");
  const second = await check({ PUBLIC_URL: '' });
  expect(second.output).toContain('System check of http://127.0.0.1:9,');
  expect(second.output).toContain(`with the settings of the service (${path.join(service, 'settings.env')})`);
  expect(second.output).not.toContain('port 1;');
});
