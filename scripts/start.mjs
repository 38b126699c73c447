// `npm start`, `npm run stop-all`, `npm run install-service`, `npm run system-check`: gets the packages, then hands over to scripts/panel.ts.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import { generateClient } from './generate-client.mjs';
import { installPackages, nodeProblem, root, runProgram, secondsSince } from './packages.mjs';

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
  const problemOfBuild = await buildProgram();
  if (problemOfBuild !== null) {
    process.stderr.write(problemOfBuild);
    return 1;
  }
  // In this very process: it stays for as long as the panel does, and another one beside it would cost 40 MiB.
  await import(pathToFileURL(path.join(root, 'dist', 'app', 'scripts', 'panel.ts.js')).href);
  return process.exitCode;
}

/** The Prisma client, then our own code as plain JavaScript, by a process that ends with its compiler. Resolves with what either complains of. */
async function buildProgram() {
  const tsx = path.join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs');
  try {
    generateClient();
  } catch (error) {
    return `${error.message}\n`;
  }
  // tsx would keep compiled code in /tmp, where others could plant some for root to run.
  const env = process.getuid?.() === 0 ? { TSX_DISABLE_CACHE: '1' } : {};
  const args = ['--import', pathToFileURL(tsx).href, path.join(root, 'scripts', 'build-program.ts')];
  const { code, output } = await runProgram({ file: process.execPath, args, env });
  return code === 0 ? null : output;
}

// A small young generation keeps what stays 30 MiB smaller (docs/performance.md).
v8.setFlagsFromString('--max-semi-space-size=1');
process.exitCode = await main();
