// The last error of an experiment: found in its log, harmless, kept until the next deployment or until somebody hides it.

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstance } from '../../domain/access.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { findTraceback, readTraceback, since } from '../../domain/last-traceback.ts';
import { hideTraceback, observeTracebacks, type LogPositions } from '../../domain/tracebacks.ts';
import { readLogFrom } from '../../platforms/local/log-follow.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let folder = '';
beforeAll(async () => {
  ctx = await testContext();
  folder = mkdtempSync(path.join(os.tmpdir(), 'tracebacks-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await ctx.close();
});

const traceback = (message: string): string =>
  `Traceback (most recent call last):\n  File "survey/__init__.py", line 12, in before_next_page\n    player.x / 0\n${message}\n`;

describe('finding a traceback', () => {
  it('takes the last one, from its head to what it says', () => {
    const log = `INFO: started\n${traceback('KeyError: 1')}INFO: 200 OK\nERROR: Exception in ASGI application\n${traceback('ZeroDivisionError: division by zero')}INFO: after\n`;
    expect(findTraceback(log)?.text).toBe(traceback('ZeroDivisionError: division by zero').trimEnd());
    expect(findTraceback('INFO: nothing')).toBeNull();
    const next = 'Exception in ASGI application\n';
    expect(findTraceback(`${traceback('KeyError: 1')}${next}`)?.text).toBe(traceback('KeyError: 1').trimEnd());
  });

  it('keeps the ones that led to it', () => {
    const log = `${traceback('KeyError: 1')}\nDuring handling of the above exception, another exception occurred:\n\n${traceback('ValueError: no')}`;
    expect(findTraceback(log)?.text).toMatch(/^Traceback[^]*KeyError: 1[^]*During handling[^]*ValueError: no$/);
  });

  it('is harmless and at most 8 KiB, its end kept', () => {
    const found = findTraceback(traceback(`ValueError: \u001b[31mred\u001b[0m \u001b]0;title\u0007\u0007${'x'.repeat(20_000)}END`));
    expect(found?.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
    expect(Buffer.byteLength(found?.text ?? '')).toBeLessThanOrEqual(8 * 1024);
    expect(found?.text.endsWith('END')).toBe(true);
  });

  it('counts only what was written since the deployment', () => {
    const log = `${traceback('OldError')}[arboretum] 2026-01-02T00:00:00Z started as process 7\nINFO: new\n`;
    expect(findTraceback(since(log, new Date('2026-01-01T00:00:00Z')))).toBeNull();
    expect(since(log, new Date('2026-01-03T00:00:00Z'))).toBe('');
  });
});

describe('observing', () => {
  it('shows an error, hides it when asked, and shows it again when it comes again', async () => {
    const owner = await aUser(ctx);
    const { id, name } = await anInstance(ctx, { ownerId: owner.id, state: 'running' });
    const deployment = await ctx.db.deployment.create({
      data: { id: newId(), instanceId: id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
    });
    await ctx.db.instance.update({ where: { id }, data: { currentDeploymentId: deployment.id } });
    const file = path.join(folder, `${id}.log`);
    writeFileSync(file, '[arboretum] 2099-01-01T00:00:00Z started as process 7\n');
    let reads = 0;
    const platform = {
      readLogFrom: async (_: string, from: { position: string | null; maxBytes: number }) => {
        const answer = await readLogFrom(file, from);
        if (answer.text !== '') reads += 1;
        return answer;
      },
    };
    const worker = { ...ctx, platform } as unknown as WorkerContext;
    const positions: LogPositions = new Map();
    const look = () => observeTracebacks(worker, positions);
    const shown = async () => readTraceback(await ctx.db.instance.findUniqueOrThrow({ where: { id } }));

    await look();
    appendFileSync(file, traceback('ValueError: first half').slice(0, 9));
    await look();
    appendFileSync(file, traceback('ValueError: first half').slice(9, 60));
    await look();
    appendFileSync(file, traceback('ValueError: first half').slice(60));
    await look();
    expect(await shown()).toBeNull();
    await look();
    expect((await shown())?.text).toContain('ValueError: first half');

    const readsBefore = reads;
    await look();
    expect(reads).toBe(readsBefore);

    await hideTraceback(ctx, owner, await findInstance(ctx, owner, { name, action: 'instance.change' }));
    expect(await shown()).toBeNull();
    positions.clear();
    await look();
    await look();
    expect(await shown()).toBeNull();

    appendFileSync(file, traceback('ValueError: first half'));
    await look();
    await look();
    expect((await shown())?.text).toContain('ValueError: first half');
  });

  it('leaves what was written before the data were exchanged or the version rolled back alone', async () => {
    const { id } = await anInstance(ctx, { state: 'running' });
    const data = { instanceId: id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' };
    const { id: currentDeploymentId } = await ctx.db.deployment.create({ data: { id: newId(), createdAt: new Date('2026-01-01T00:00:00Z'), ...data } });
    await ctx.db.instance.update({ where: { id }, data: { currentDeploymentId } });
    const file = path.join(folder, `${id}.log`);
    const start = (day: number): string => `[arboretum] 2026-01-0${day}T00:00:00Z started as process 7\n`;
    writeFileSync(file, `${start(2)}${traceback('ValueError: old data')}${start(4)}`);
    const platform = { readLogFrom: (_: string, from: { position: string | null; maxBytes: number }) => readLogFrom(file, from) };
    const text = async (): Promise<string | undefined> => {
      const positions: LogPositions = new Map();
      for (let round = 0; round < 2; round += 1) await observeTracebacks({ ...ctx, platform } as unknown as WorkerContext, positions);
      return readTraceback(await ctx.db.instance.findUniqueOrThrow({ where: { id } }))?.text;
    };
    const job = { kind: 'restore', instanceId: id, actorName: 'test', startedAt: new Date('2026-01-03T00:00:00Z') };
    const { id: jobId } = await ctx.db.job.create({ data: { id: newId(), ...job, state: 'succeeded' } });
    expect(await text()).toBeUndefined();
    await ctx.db.job.update({ where: { id: jobId }, data: { state: 'failed' } });
    expect(await text()).toContain('ValueError: old data');
  });
});
