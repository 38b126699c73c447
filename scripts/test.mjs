// `npm test`: sets up everything that tests need, runs them all, ends with the line “N passed, N failed”. Arguments go to vitest.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { becomeProgram, installPackages, nodeProblem, root, secondsSince } from './packages.mjs';

const report = path.join(root, '.test-results', 'vitest.json');

/** Counts of vitest's report; a file that could not even be loaded counts as one failure. */
function countResults() {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const tests = testResults.flatMap((file) => file.assertionResults);
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'));
  const passed = tests.filter((test) => test.status === 'passed').length;
  return { passed, failed: tests.filter((test) => test.status === 'failed').length + broken.length };
}

async function main() {
  const problem = nodeProblem();
  if (problem !== null) throw new Error(problem);
  const start = Date.now();
  if (await installPackages()) process.stdout.write(`✓ packages (${secondsSince(start)})\n`);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--root', root, '--reporter', 'default', '--reporter', 'json', `--outputFile.json=${report}`, ...process.argv.slice(2)];
  return await becomeProgram(process.execPath, args);
}

const code = await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  return 1;
});
let counts = { passed: 0, failed: 0 };
try {
  counts = countResults();
} catch {
  // No report: the set-up failed, and vitest has said why.
}
// Nothing ran, or vitest found fault with something that is not a test (an unhandled error, a failed clean-up): that is a failure, too.
if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) counts.failed = 1;
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
