// The contract: answers of any size from oTree, and bots.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { refusal } from './instances.ts';
import { type Bench, never, newDumpFile } from './stand.ts';

/** Larger than all buffers between oTree and whoever reads. */
const large = '/static/bootstrap5/css/bootstrap.min.css';
const largeBytes = 150_000;

/** What is opened and read piece by piece; the project's own tests. */
export function exportsAndBots(bench: Bench): void {
  const { spec } = bench;

  it('passes a large answer of oTree on piece by piece', async () => {
    const { status, body } = await bench.platform.openOtree(spec, { path: large, timeoutMs: 30_000 });
    expect(status).toBe(200);
    const hash = createHash('sha256');
    let [pieces, bytes] = [0, 0];
    for await (const piece of body) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      pieces += 1;
    }
    expect(bytes).toBeGreaterThan(largeBytes);
    expect(pieces).toBeGreaterThan(1);
    const whole = await bench.platform.askOtree(spec, { method: 'GET', path: large, timeoutMs: 30_000 });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(whole.body).digest('hex'));
  });

  it('lets go of an answer that nobody reads to its end, and oTree goes on', async () => {
    for (let time = 0; time < 3; time += 1) {
      const { body } = await bench.platform.openOtree(spec, { path: large, timeoutMs: 30_000 });
      body.destroy();
    }
    expect((await bench.platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 })).status).toBe(200);
  });

  it('exports the data with the instance’s key', async () => {
    const { status, body } = await bench.platform.openOtree(spec, { path: '/api/export_wide', timeoutMs: 30_000 });
    let text = '';
    for await (const piece of body) text += String(piece);
    expect([status, text.startsWith('participant.id_in_session,')]).toEqual([200, true]);
    expect(JSON.parse((await bench.platform.askOtree(spec, { method: 'GET', path: '/api/arboretum_exports', timeoutMs: 30_000 })).body)).toHaveProperty('apps');
  });

  it('says that nothing answers where nothing runs', async () => {
    const stray = bench.makeStray();
    await bench.platform.create(stray, never);
    const code = (await refusal(bench.platform.openOtree(stray, { path: '/api/otree_version', timeoutMs: 30_000 }))).code;
    expect(['not_running', 'platform_failed']).toContain(code);
  });

  it('plays the project’s bots beside the running experiment, and their data are its only trace', async () => {
    const before = (await bench.platform.databaseFacts(spec)).rowCounts;
    let output = '';
    const file = await newDumpFile();
    const run = { releaseNumber: 1, config: 'trust_game', participants: null, exportTo: file, signal: never, onOutput: (text: string) => (output += text) };
    expect((await bench.platform.capabilities()).playsBots).toBe(true);
    await bench.platform.playBots(spec, run);
    expect(output).toContain('Bots completed session');
    expect(output).not.toContain('ARBORETUM-');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const names = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' });
    expect(names).toMatch(/^\.\/.*\.csv$/m);
    expect(execFileSync('tar', ['-xzOf', file], { encoding: 'utf8' })).toContain('participant.id_in_session');
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual(before);
    expect(await bench.platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 })).toMatchObject({ status: 200 });
  });

  it('takes whatever stands for a config as its name, and says that no such config is there', async () => {
    const run = { releaseNumber: 1, participants: 2, exportTo: null, signal: never, onOutput: () => {} };
    for (const config of ['--app other', '-e "x\' $(id)', '--help']) {
      const error = await refusal(bench.platform.playBots(spec, { ...run, config }));
      expect([error.code, error.details['config'], String(error.details['reason'])]).toEqual(['bots_failed', config, expect.stringContaining(config)]);
    }
  });
}
