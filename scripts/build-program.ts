// Run by start.mjs before anything else: the Prisma client, then server, worker and the commands themselves as plain JavaScript.

import path from 'node:path';
import { StartProblem } from './problem.ts';
import { projectRoot } from './project-root.ts';
import { runOrThrow } from './run.ts';
import { buildServices } from './service-build.ts';

try {
  const generator = path.join(projectRoot, 'scripts', 'generate-client.mjs');
  await runOrThrow({ file: process.execPath, args: [generator], cwd: projectRoot, timeoutMs: 120_000 }, 'generating the Prisma client');
  await buildServices(projectRoot);
} catch (error) {
  process.stderr.write(error instanceof StartProblem ? `${error.message}\n  → ${error.hint}\n` : `${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
