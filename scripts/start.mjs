// `npm start`, `npm run stop-all`, `npm run install-service`, `npm run system-check`: gets the packages, then hands over to scripts/panel.ts.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { becomeProgram, installPackages, nodeProblem, root, secondsSince } from './packages.mjs';

/** tsx would keep compiled code in /tmp, where others could plant some for root to run. */
const environment = process.getuid?.() === 0 ? { TSX_DISABLE_CACHE: '1' } : {};
const commands = ['start', 'stop-all', 'install-service', 'system-check', 'ground', 'stop-ground'];
const command = process.argv[2] ?? 'start';

async function main() {
  const problem = commands.includes(command) ? nodeProblem() : `There is no command “${command}”; there are: ${commands.join(', ')}.`;
  if (problem !== null) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  // DATA_DIR is not known yet (the settings are read in TypeScript): npm's output goes with us to its start.log.
  const noteDir = mkdtempSync(path.join(os.tmpdir(), 'arboretum-start-'));
  const note = path.join(noteDir, 'packages.log');
  const start = Date.now();
  try {
    const waiting = setTimeout(() => process.stdout.write('… packages from npm (a minute or two the first time)\n'), 1000);
    const isNew = await installPackages((text) => appendFileSync(note, text)).finally(() => clearTimeout(waiting));
    if (isNew) process.stdout.write(`✓ packages (${secondsSince(start)})\n`);
  } catch (error) {
    process.stderr.write(`✗ packages\n${error.message}\n  All of npm’s output: ${note}\n`);
    return 1;
  }
  rmSync(noteDir, { recursive: true, force: true });
  // Settings are relative to where the command was given; tsx is looked up beside this file.
  const tsx = path.join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs');
  // It stays for as long as the panel does: a small young generation keeps it 30 MiB smaller (docs/performance.md).
  const args = ['--max-semi-space-size=1', '--import', `file://${tsx}`, path.join(root, 'scripts', 'panel.ts'), command];
  return await becomeProgram(process.execPath, args, environment);
}

process.exitCode = await main();
