// Builds on the local platform: what people really commit, source packages, archives that are none.

import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { runCommand } from '../../platforms/run-command.ts';
import { archiveOf, build, makeSpec, projectWith, refusal, TRUST_GAME } from './instances.ts';
import { type LocalStand, makeLocalStand } from './local-stand.ts';

const never = new AbortController().signal;

describe('builds on the local platform', { timeout: 120_000 }, () => {
  let stand: LocalStand;
  let platform: Platform;
  const strays: InstanceSpec[] = [];
  const makeStray = (): InstanceSpec => {
    const stray = makeSpec();
    strays.push(stray);
    return stray;
  };

  beforeAll(async () => {
    stand = await makeLocalStand();
    platform = stand.platform;
  }, 60_000);

  afterAll(async () => {
    try {
      for (const spec of strays) await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 60_000);

  it('builds a project with everything that people really commit', async () => {
    const spec = makeStray();
    await platform.create(spec, never);
    const dir = await projectWith(TRUST_GAME, {
      'requirements.txt': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('otree>=5.11 # pip freeze\r\npsycopg2==2.8.4\r\n-r more.txt\r\n', 'utf16le')]),
      'more.txt': '--index-url https://example.org/simple\nsix\n',
      'runtime.txt': 'python-3.7.16\n',
      'db.sqlite3': 'not for deployment',
      Procfile: 'web: otree prodserver1of2\n',
    });
    await runCommand({
      file: '/usr/bin/python3',
      args: ['-m', 'venv', '--without-pip', path.join(dir, 'venv')],
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 30_000,
    });
    const { release, output } = await build(platform, spec, { dir, number: 1 });
    for (const line of ['saved as UTF-16', 'psycopg2-binary>=2.8.4', '--index-url', 'left out: venv/', 'left out: db.sqlite3']) expect(output).toContain(line);
    expect(release.warnings).toEqual([
      expect.stringMatching(/^runtime\.txt asks for Python 3\.7, which this machine does not have; 3\.\d+\.\d+ is used\./),
      expect.stringContaining('asks for “otree>=5.11”'),
    ]);
    expect(release.lock).toMatch(/^six==/m);
    await platform.tryRelease(spec, 1, { signal: never, onOutput: () => {} });
  });

  it('builds a package that exists as source only under the instance’s own user', async () => {
    const spec = makeStray();
    await platform.create(spec, never);
    const dir = await projectWith(TRUST_GAME, { 'requirements.txt': 'otree\ndocopt==0.6.2\n' });
    const { release, output } = await build(platform, spec, { dir, number: 1 });
    expect(output).toContain('exist as source only');
    expect(release.lock).toMatch(/^docopt==0\.6\.2$/m);
    const again = await build(platform, spec, { dir, number: 2, lock: release.lock });
    expect(again.release.isLockReused).toBe(true);
    await platform.tryRelease(spec, 2, { signal: never, onOutput: () => {} });
  });

  it('says that an old oTree does not run on this Python', async () => {
    const spec = makeStray();
    await platform.create(spec, never);
    const dir = await projectWith(TRUST_GAME, { 'requirements.txt': 'otree==5.6.0\n' });
    expect(await refusal(build(platform, spec, { dir, number: 1 }))).toMatchObject({ code: 'otree_python', details: { version: '5.6.0' } });
  });

  it('refuses an archive that breaks off, and one with a link that leads out', async () => {
    const spec = makeStray();
    await platform.create(spec, never);
    const attempt = (openArchive: () => PassThrough) =>
      refusal(platform.build(spec, { releaseNumber: 1, openArchive, lockFor: async () => null, signal: never, onOutput: () => {} }));
    const broken = await attempt(() => {
      const half = new PassThrough();
      const whole = archiveOf(TRUST_GAME)();
      whole.once('data', (chunk: Buffer) => half.end(chunk.subarray(0, 1500)));
      return half;
    });
    expect(broken).toMatchObject({ code: 'push_refused', message: expect.stringContaining('breaks off') });
    const dir = await projectWith(TRUST_GAME, {});
    await runCommand({ file: '/bin/ln', args: ['-s', '/etc/passwd', path.join(dir, 'passwords.txt')], env: {}, timeoutMs: 5000 });
    const link = await attempt(() => archiveOf(dir)().pipe(new PassThrough()));
    expect(link).toMatchObject({ code: 'push_refused', message: expect.stringContaining('leads out') });
  });
});
