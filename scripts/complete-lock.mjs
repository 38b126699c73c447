// Development tool, after every change of dependencies: `node scripts/complete-lock.mjs` makes package-lock.json one that `npm ci` takes.
//
// npm leaves out optional packages of other platforms that the registry at hand does not offer (a mirror, for one), and then
// refuses its own lock file: “Missing: …-darwin-arm64@ from lock file” (npm 11.19). An entry with version and platform is enough.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './packages.mjs';

/** Whether Node finds `name` from the package at `at`: beside it, or in any node_modules above. */
function isThere(packages, at, name) {
  const parts = at.split('/node_modules/');
  return (
    parts.some((_, depth) => packages[`${parts.slice(0, depth + 1).join('/node_modules/')}/node_modules/${name}`] !== undefined) ||
    packages[`node_modules/${name}`] !== undefined
  );
}

/** Adds what is missing, in place; returns the names. */
export function completeLock(lock) {
  const { packages } = lock;
  const added = [];
  for (const [at, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isThere(packages, at, name) || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const os = /aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32/.exec(name)?.[0];
      const cpu = /arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64/.exec(name)?.[0];
      packages[`node_modules/${name}`] = {
        version,
        ...(cpu ? { cpu: [cpu] } : {}),
        ...(entry.dev ? { dev: true } : {}),
        optional: true,
        ...(os ? { os: [os] } : {}),
      };
      added.push(`${name}@${version}`);
    }
  }
  lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return added;
}

const file = path.join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = completeLock(lock);
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added.length} entries added${added.length > 0 ? `: ${added.join(', ')}` : ''}\n`);
