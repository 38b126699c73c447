// The arrows between the rooms: one violation of each is planted in a copy of the rules' scope, and must be refused.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '..');
const oxlint = path.join(root, 'node_modules', '.bin', 'oxlint');
let place = '';

beforeAll(() => {
  place = mkdtempSync(path.join(os.tmpdir(), 'arrows-'));
  cpSync(path.join(root, '.oxlintrc.json'), path.join(place, '.oxlintrc.json'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function lint(file: string, importPath: string): { isRefused: boolean; output: string } {
  const target = path.join(place, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, `// A planted import.\nimport { thing } from '${importPath}';\n\nexport const use = thing;\n`);
  const { stdout, stderr } = spawnSync(oxlint, ['--config', '.oxlintrc.json', file], { cwd: place, encoding: 'utf8' });
  rmSync(target);
  const output = stdout + stderr;
  return { isRefused: output.includes('no-restricted-imports'), output };
}

const forbidden: readonly [string, string][] = [
  ['contracts/planted.ts', '../domain/jobs.ts'],
  ['contracts/planted.ts', 'node:fs'],
  ['domain/planted.ts', '../server/app.ts'],
  ['domain/planted.ts', '../worker/run-job.ts'],
  ['domain/planted.ts', '../web/main.tsx'],
  ['domain/planted.ts', 'express'],
  ['domain/planted.ts', 'bullmq'],
  ['domain/planted.ts', 'socket.io'],
  ['domain/planted.ts', 'ssh2'],
  ['domain/planted.ts', 'dockerode'],
  ['domain/planted.ts', '../platforms/local/local.ts'],
  ['domain/planted.ts', '../platforms/nginx.ts'],
  ['domain/planted.ts', '../platforms/requirements.ts'],
  ['platforms/local/planted.ts', '../../domain/jobs.ts'],
  ['platforms/planted.ts', '../prisma/client/client.ts'],
  ['platforms/dokku/planted.ts', '../local/files.ts'],
  ['platforms/dokku/planted.ts', '../../domain/jobs.ts'],
  ['platforms/local/planted.ts', '../dokku/tree.ts'],
  ['platforms/local/planted.ts', '../swarm/runs.ts'],
  ['platforms/dokku/planted.ts', '../swarm/runs.ts'],
  ['platforms/swarm/planted.ts', '../local/files.ts'],
  ['platforms/swarm/planted.ts', '../../domain/jobs.ts'],
  ['server/planted.ts', '../worker/run-job.ts'],
  ['server/api/planted.ts', '../../platforms/local/local.ts'],
  ['server/planted.ts', 'dockerode'],
  ['worker/planted.ts', '../server/app.ts'],
  ['worker/jobs/planted.ts', '../../web/main.tsx'],
  ['worker/jobs/planted.ts', '../../platforms/local/local.ts'],
  ['worker/jobs/planted.ts', '../../platforms/dokku/tree.ts'],
  ['worker/jobs/planted.ts', '../../platforms/swarm/runs.ts'],
  ['web/pages/planted.tsx', '../../server/app.ts'],
  ['web/planted.ts', '../domain/jobs.ts'],
];

const allowed: readonly [string, string][] = [
  ['domain/planted.ts', '../contracts/jobs.ts'],
  ['domain/planted.ts', '../platforms/platform.ts'],
  ['domain/planted.ts', '../platforms/secret.ts'],
  ['platforms/dokku/planted.ts', '../requirements.ts'],
  ['server/api/planted.ts', '../../domain/jobs.ts'],
  ['worker/adapters.ts', '../platforms/local/local.ts'],
  ['web/pages/planted.tsx', '../../contracts/jobs.ts'],
];

describe('the arrows between the rooms', () => {
  it.each(forbidden)('%s may not import %s', (file, importPath) => {
    const { isRefused, output } = lint(file, importPath);
    expect(isRefused, output).toBe(true);
  });

  it.each(allowed)('%s may import %s', (file, importPath) => {
    expect(lint(file, importPath).isRefused).toBe(false);
  });
});
