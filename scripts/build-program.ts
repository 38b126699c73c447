// Run by start.mjs before anything else: server, worker and the commands themselves as plain JavaScript.

import { StartProblem } from './problem.ts';
import { projectRoot } from './project-root.ts';
import { buildServices } from './service-build.ts';

try {
  await buildServices(projectRoot);
} catch (error) {
  process.stderr.write(error instanceof StartProblem ? `${error.message}\n  → ${error.hint}\n` : `${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
