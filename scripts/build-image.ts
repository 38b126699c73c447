// Run by the Dockerfile: the pages, the program, uv, and what goes into the ground's image.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './project-root.ts';
import { runOrThrow } from './run.ts';
import { uvRequirement } from './tools.ts';
import { buildWeb } from './web-build.ts';

const write = (text: string): void => void process.stdout.write(text);
const tools = path.join(projectRoot, 'tools');
/** All that `keep-nginx.ts` imports, and itself. */
const groundFiles = ['platforms/layout.ts.js', 'platforms/nginx-host.ts.js', 'scripts/keep-nginx.ts.js'];

await runOrThrow(
  { file: process.execPath, args: ['--import', 'tsx', path.join(projectRoot, 'scripts', 'build-program.ts')], cwd: projectRoot, timeoutMs: 300_000 },
  'building the program',
);
await buildWeb(projectRoot, write);
await runOrThrow({ file: 'python3', args: ['-m', 'venv', `${tools}.venv`], timeoutMs: 120_000 }, 'python3 -m venv');
await runOrThrow(
  {
    file: `${tools}.venv/bin/pip`,
    args: ['install', '--disable-pip-version-check', '--no-input', '--no-cache-dir', uvRequirement],
    timeoutMs: 600_000,
    onOutput: write,
  },
  'installing uv',
);
mkdirSync(path.join(tools, 'bin'), { recursive: true });
cpSync(`${tools}.venv/bin/uv`, path.join(tools, 'bin', 'uv'));
rmSync(`${tools}.venv`, { recursive: true });
for (const file of groundFiles) cpSync(path.join(projectRoot, 'dist', 'app', file), path.join(projectRoot, 'dist', 'ground', file));
writeFileSync(path.join(projectRoot, 'dist', 'ground', 'package.json'), '{ "type": "module" }\n');
