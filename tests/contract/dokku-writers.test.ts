// One writer per app: Dokku loses variables when two commands write at once, so the adapter writes in turn, reads back and repairs.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveApp } from '../../platforms/dokku/host.ts';
import { Turns } from '../../platforms/dokku/turns.ts';
import { configImport } from '../../platforms/dokku-commands.ts';
import { Secret } from '../../platforms/secret.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import type { App, Service } from '../dokku/replay-state.ts';
import { type DokkuStand, replaySite, standOn } from './dokku-stand.ts';
import { makeSpec } from './instances.ts';
import { never } from './stand.ts';

describe('turns', () => {
  it('come one after the other under a name, side by side under others, and after a failure all the same', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const step =
      (name: string, work: Promise<void> = Promise.resolve()) =>
      async (): Promise<string> => {
        seen.push(`${name} begins`);
        await work;
        seen.push(`${name} ends`);
        if (name === 'first') throw new Error('no');
        return name;
      };
    const first = turns.take(['a'], step('first', gate)).catch((error: unknown) => String(error));
    const second = turns.take(['a', 'b'], step('second'));
    const third = turns.take(['b'], step('third'));
    expect(await turns.take(['c'], step('other'))).toBe('other');
    open();
    expect(await Promise.all([first, second, third])).toEqual(['Error: no', 'second', 'third']);
    expect(seen).toEqual(['first begins', 'other begins', 'other ends', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
  });
});

describe('variables of an app', { timeout: 120_000 }, () => {
  let replay: ReplayHost;
  let stand: DokkuStand;
  const spec = makeSpec({ environment: { GREETING: new Secret('line one\nit\'s --app "two" $HOME'), OTREE_AUTH_LEVEL: new Secret('DEMO') } });
  const variables = (): Readonly<Record<string, string>> => replay.state.app(liveApp(spec.instanceId)).config;

  beforeAll(async () => {
    const site = await replaySite();
    [replay, stand] = [site.replay, await standOn(site)];
    await stand.platform.create(spec, never);
  }, 60_000);

  afterAll(async () => {
    await stand.platform.destroy(spec, never);
    await stand.close();
  }, 60_000);

  it('arrive as they are, whatever stands in them, and in no command line', () => {
    expect(variables()).toMatchObject({ GREETING: 'line one\nit\'s --app "two" $HOME', OTREE_AUTH_LEVEL: 'DEMO', OTREE_PRODUCTION: '1' });
    const secrets = [spec.adminPassword, spec.secretKey, spec.roomSecret, spec.restKey].map((secret) => secret.open());
    const lines = replay.commands().map(({ line }) => line);
    expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)) || line.includes('postgres://'))).toEqual([]);
  });

  it('are all there after many writes at once', async () => {
    const room = (number: number) => ({ name: `room_${number}`, displayName: 'R', labels: null, usesSecureUrls: false });
    const before = variables();
    await Promise.all(
      Array.from({ length: 8 }, async (_, number) =>
        number % 2 === 0 ? await stand.platform.setRooms(spec, [room(number)]) : await stand.platform.configure(spec),
      ),
    );
    expect(Object.keys(variables()).toSorted()).toEqual([...new Set([...Object.keys(before), 'ARBORETUM_ROOMS'])].toSorted());
    expect(variables()).toMatchObject(Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'ARBORETUM_ROOMS')));
  });

  it('are repaired when somebody else writes in between', async () => {
    const before = variables();
    const changed = { ...spec, environment: { ...spec.environment, GREETING: new Secret('changed') } };
    const imports = (): number => replay.commands().filter(({ line }) => line.includes('config:import')).length;
    const already = imports();
    // Each command takes a moment before it begins: both are under way together then, on a busy machine, too.
    replay.setLatency(1_000);
    const configuring = stand.platform.configure(changed);
    await expect.poll(imports, { interval: 1, timeout: 20_000 }).toBe(already + 1);
    const foreign = stand.connection.run(configImport(liveApp(spec.instanceId), { replace: false }), { input: Buffer.from('{"FOREIGN":"1"}') });
    await Promise.all([configuring, foreign]);
    replay.setLatency(0);
    expect(imports(), 'it was written again').toBeGreaterThan(already + 2);
    expect(variables()).toMatchObject({ ...before, GREETING: 'changed' });
  });

  it.each([
    ['is left where its link is gone', ({ links }: Service) => links.clear()],
    ['is lost', (_: Service, app: App) => void delete (app.config as Record<string, string>)['DATABASE_URL']],
    ['leads to another database', (_: Service, app: App) => void ((app.config as Record<string, string>)['DATABASE_URL'] = 'postgres://a:b@c:5432/other')],
  ])('get the address of their database again when it %s', async (_name, spoil) => {
    const { state } = replay;
    const [name] = [...state.services.keys()];
    const before = variables()['DATABASE_URL'];
    spoil(state.service(name ?? ''), state.app(liveApp(spec.instanceId)));
    await stand.platform.configure(spec);
    expect(variables()).toMatchObject({ DATABASE_URL: before, GREETING: expect.any(String) });
    expect([...state.service(name ?? '').links]).toEqual([liveApp(spec.instanceId)]);
  });

  it('that stand there and are not wanted any more go', async () => {
    await stand.platform.configure({ ...spec, environment: {} });
    expect(variables()).not.toHaveProperty('GREETING');
    expect(variables()).not.toHaveProperty('FOREIGN');
    expect(variables()).toHaveProperty('DATABASE_URL');
    expect(replay.unrecorded()).toEqual([]);
  });
});
