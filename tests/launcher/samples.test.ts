import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { repository, temporaryFolder } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });

test.each([
  ['samples/trust-game', '6.0.15'],
  ['samples/trust-game', '5.11.5'],
  ['tests/projects/lab-games', '6.0.15'],
  ['tests/projects/lab-games', '5.11.5'],
] as const)('the bots play %s to its end (oTree %s)', (project, version) => {
  const folder = join(temporaryFolder(), 'project');
  cpSync(join(repository, project), folder, { recursive: true });
  const program = 'import sys; sys.argv = ["otree", "test"]; from otree.main import execute_from_command_line as run; run()';
  const environment = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' };
  const done = spawnSync(pythonWith(version), ['-c', program], { cwd: folder, encoding: 'utf8', env: environment });
  expect(done.stderr + done.stdout).toContain('Bots completed session');
  expect(done.status).toBe(0);
});
