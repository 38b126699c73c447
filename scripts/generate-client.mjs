// Generates the Prisma client into prisma/client, only when the schema or Prisma itself changed.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const markerFile = path.join(root, 'prisma', 'client', '.hash');

/** Returns whether something was generated. Throws Prisma's own message when the schema is not valid. */
export function generateClient() {
  const hash = createHash('sha256');
  for (const file of ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json']) hash.update(readFileSync(path.join(root, file)));
  const wanted = hash.digest('hex');
  if (existsSync(markerFile) && readFileSync(markerFile, 'utf8') === wanted) return false;
  // Prisma looks for its schema engine (a download) before it generates, but does not run it: any program will do.
  const result = spawnSync(process.execPath, [path.join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
  });
  if (result.status !== 0) throw new Error(`prisma generate failed:\n${result.stdout}${result.stderr}`);
  // Written last and renamed: an interrupted run generates again.
  writeFileSync(`${markerFile}.new`, wanted);
  renameSync(`${markerFile}.new`, markerFile);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--force')) rmSync(markerFile, { force: true });
  process.stdout.write(generateClient() ? 'Prisma client generated.\n' : 'Prisma client is up to date.\n');
}
