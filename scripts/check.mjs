// `npm run check`: types, lint with the arrows between the rooms, format, what nobody uses. Side by side; prints only what failed.

import path from 'node:path';
import { installPackages, nodeProblem, root, runProgram, secondsSince } from './packages.mjs';

const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const checks = [
  { name: 'types', file: bin('tsc'), args: ['--noEmit'] },
  { name: 'lint', file: bin('oxlint'), args: ['--type-aware'] },
  { name: 'format', file: bin('oxfmt'), args: ['--check'] },
  { name: 'unused', file: bin('knip'), args: ['--no-progress'] },
];

async function check({ name, file, args }) {
  const start = Date.now();
  const { code, output } = await runProgram({ file, args, env: { FORCE_COLOR: '0' } });
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} (${secondsSince(start)})\n${code === 0 ? '' : `${output.trimEnd()}\n`}`);
  return code === 0;
}

async function main() {
  const problem = nodeProblem();
  if (problem !== null) throw new Error(problem);
  await installPackages();
  const { generateClient } = await import('./generate-client.mjs');
  generateClient();
  const start = Date.now();
  const results = await Promise.all(checks.map(check));
  const failed = results.filter((isGood) => !isGood).length;
  process.stdout.write(
    failed === 0 ? `All ${checks.length} checks passed (${secondsSince(start)}).\n` : `${failed} of ${checks.length} checks failed (${secondsSince(start)}).\n`,
  );
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  return 1;
});
