// Environments that nobody builds from any more.

import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { layoutOf } from '../../platforms/layout.ts';
import { pruneEnvironments } from '../../platforms/local/environment.ts';
import type { Ground } from '../../platforms/local/ground.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'arb-prune-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('go after thirty days without use; a release that shares their files keeps them', async () => {
  const ground = { layout: { ...layoutOf(folder, folder), cacheDir: folder } } as Ground;
  const now = new Date();
  for (const [name, days] of [
    ['fresh', 29],
    ['old', 31],
  ] as const) {
    const place = path.join(folder, 'environments', name);
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'module.py'), name);
    linkSync(path.join(place, 'module.py'), path.join(folder, `release-${name}.py`));
    const used = new Date(now.getTime() - days * 24 * 3_600_000);
    utimesSync(place, used, used);
  }
  await pruneEnvironments(ground, now);
  expect(readdirSync(path.join(folder, 'environments'))).toEqual(['fresh']);
  expect(readFileSync(path.join(folder, 'release-old.py'), 'utf8')).toBe('old');
  rmSync(path.join(folder, 'environments'), { recursive: true });
  await pruneEnvironments(ground, now);
});
