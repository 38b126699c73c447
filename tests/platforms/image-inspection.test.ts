// The first half of a build of an image, with the real uv: what is refused, which versions are chosen, and for which Python.

import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildGround } from '../../platforms/confined.ts';
import { inspectForImage } from '../../platforms/image-inspection.ts';
import { layoutOf } from '../../platforms/layout.ts';
import type { BuildRequest } from '../../platforms/release.ts';
import { lockedVersion } from '../../platforms/requirements.ts';
import { archiveOf, makeSpec, projectWith, refusal, TRUST_GAME } from '../contract/instances.ts';
import { requireEnvironment } from '../contract/local-stand.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

describe('inspecting for an image', { timeout: 180_000 }, () => {
  let [folder, number] = ['', 0];
  let ground: BuildGround;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'arb-inspect-'));
    await chmod(folder, 0o711);
    ground = {
      layout: { ...layoutOf(path.join(folder, 'data'), path.join(folder, 'run')), cacheDir: path.join(os.tmpdir(), 'arboretum-test-cache') },
      systemPython: '/usr/bin/python3',
      uvBinary: path.join(requireEnvironment('ARBORETUM_TEST_TOOLS'), 'bin', 'uv'),
      separatesUsers: process.getuid?.() === 0,
      buildUserId: 199_999,
      packageIndex: existsSync(CERTIFICATES) ? { caFile: CERTIFICATES } : {},
    };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function inspect(files: Readonly<Record<string, string>>, imagePython: string | [string, ...string[]], more: Partial<BuildRequest> = {}) {
    const { instanceId } = makeSpec();
    const dir = path.join(folder, `release-${(number += 1)}`);
    const project = await projectWith(TRUST_GAME, files);
    let output = '';
    const request: BuildRequest = {
      releaseNumber: 1,
      openArchive: archiveOf(project),
      lockFor: async () => null,
      signal: new AbortController().signal,
      onOutput: (text) => (output += text),
      ...more,
    };
    const found = await inspectForImage(ground, instanceId, { request, dir, pythons: typeof imagePython === 'string' ? [imagePython] : imagePython });
    return { ...found, output, instanceId };
  }

  it('takes the base image whose Python the project asks for, else the first one and says so', async () => {
    const files = { 'requirements.txt': 'otree==6.0.15\n' };
    const pythons: [string, string] = ['3.12.4', '3.11.9'];
    const [asked, unasked, other] = [
      await inspect({ ...files, '.python-version': '3.11' }, pythons),
      await inspect(files, pythons),
      await inspect({ ...files, '.python-version': '3.10' }, pythons),
    ];
    expect([asked.task.python, unasked.task.python, other.task.python]).toEqual(['3.11.9', '3.12.4', '3.12.4']);
    expect([asked.warnings, unasked.warnings]).toEqual([[], []]);
    expect(other.warnings).toEqual([expect.stringContaining('.python-version asks for Python 3.10; instances here run on 3.12.')]);
  });

  it('chooses exact versions for the image’s Python, with a hash of its own', async () => {
    const files = { 'requirements.txt': 'otree==6.0.15\nimportlib-resources<7\n' };
    const [one, other] = [await inspect(files, '3.11.9'), await inspect(files, '3.9')];
    expect(lockedVersion(one.lock, 'otree')).toBe('6.0.15');
    expect(lockedVersion(one.lock, 'psycopg2-binary')).not.toBeNull();
    expect([one.output, other.output]).toEqual([
      expect.stringContaining('-----> Python 3.11.9 · oTree 6.0.15'),
      expect.stringContaining('-----> Python 3.9 ·'),
    ]);
    // Python has had since 3.10 what this package takes from another one before.
    expect([lockedVersion(one.lock, 'zipp'), lockedVersion(other.lock, 'zipp')]).toEqual([null, expect.stringMatching(/^3\./)]);
    expect(one.requirementsHash).not.toBe(other.requirementsHash);
    expect(readdirSync(one.projectDir)).toContain('settings.py');
  });

  it('takes the versions of an earlier build for the same requirements', async () => {
    const { lock, isLockReused } = await inspect({ 'requirements.txt': 'otree\n' }, '3.11', { lockFor: async () => 'otree==6.0.15\n' });
    expect({ lock, isLockReused }).toEqual({ lock: 'otree==6.0.15', isLockReused: true });
  });

  it('says when the project asks for another Python than the image has, and when it needs git there', async () => {
    const files = { 'runtime.txt': 'python-3.7.16\n', 'requirements.txt': 'otree==6.0.15\nslider @ git+https://git.example/slider\n' };
    const { warnings } = await inspect(files, '3.11.9', { lockFor: async () => 'otree==6.0.15' });
    expect(warnings).toEqual([
      expect.stringMatching(/^runtime\.txt asks for Python 3\.7; instances here run on 3\.11\./),
      expect.stringContaining('only if the base image has git'),
    ]);
  });

  it('looks into a package that exists as source only, and keeps nothing of that', async () => {
    const { lock, output, instanceId } = await inspect({ 'requirements.txt': 'otree==6.0.15\ndocopt==0.6.2\n' }, '3.11');
    expect(output).toContain('exist as source only');
    expect(lock).toMatch(/^docopt==0\.6\.2$/m);
    expect(readdirSync(path.join(ground.layout.cacheDir, 'foreign'))).not.toContain(instanceId);
  });

  it('refuses what the local platform refuses', async () => {
    expect(await refusal(inspect({ 'requirements.txt': 'numpy\n' }, '3.11'))).toMatchObject({ code: 'otree_missing' });
    expect(await refusal(inspect({ 'requirements.txt': 'otree==3.4.0\n' }, '3.11'))).toMatchObject({ code: 'otree_too_old' });
    const unknown = inspect({ 'requirements.txt': 'otree==6.0.15\nno-such-package-of-anybody==1\n' }, '3.11');
    expect(await refusal(unknown)).toMatchObject({ code: 'package_unknown' });
  });
});
