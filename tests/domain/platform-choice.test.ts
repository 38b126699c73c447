// Choosing the platform: what is proposed and why not, kept over a start, changed only while nothing lives on the old one.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { PlatformName } from '../../contracts/platform-choice.ts';
import { loadConfig } from '../../domain/config.ts';
import { createInstance } from '../../domain/instances.ts';
import { settlePlatform } from '../../domain/chosen-platform.ts';
import { choosePlatform, showPlatformChoice } from '../../domain/platform-choice.ts';
import { describeOptions, propose } from '../../domain/platform-options.ts';
import { engineReport, noEngine } from '../engine-report.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

const dokku = { DOKKU_HOST: 'dokku.lab.example', DOKKU_DOMAIN: 'exp.lab.example' };

describe('what is proposed', () => {
  const look = (env: Readonly<Record<string, string>>, engine = noEngine) => {
    const options = describeOptions(loadConfig(env), engine);
    return { ...propose(options), of: (name: PlatformName) => options.find(({ platform }) => platform === name) };
  };

  it('is containers where an engine answers, and it says that local isolates less', () => {
    const { proposed, whyProposed, of } = look({}, engineReport());
    expect(proposed).toBe('swarm');
    expect(whyProposed).toMatch(/Docker Engine answers.*`local`.*isolates experiments less/);
    expect(of('swarm')).toMatchObject({ whyNot: null, needsSwarm: false, isolation: expect.stringContaining('leads nowhere') });
    expect(of('swarm')?.seen).toEqual([
      'Docker Engine 27.3.1 answers at /var/run/docker.sock.',
      'It is the manager of a Swarm.',
      'The base image python:3.12-slim-bookworm is there.',
    ]);
    expect(of('dokku')).toMatchObject({ whyNot: 'No Dokku host is configured.' });
  });

  it('is the Dokku host where one is configured, also beside an engine', () => {
    const { proposed, whyProposed, of } = look(dokku, engineReport());
    expect([proposed, whyProposed]).toEqual(['dokku', expect.stringContaining('isolates experiments less')]);
    expect(of('dokku')?.seen[0]).toBe('DOKKU_HOST is dokku.lab.example, DOKKU_DOMAIN exp.lab.example.');
    expect(look({ DOKKU_HOST: 'dokku.lab.example' }).of('dokku')).toMatchObject({
      whyNot: expect.any(String),
      seen: [expect.stringContaining('DOKKU_DOMAIN is not set')],
    });
  });

  it('is local where there is neither, with what could be done', () => {
    const { proposed, whyProposed, of } = look({});
    expect([proposed, whyProposed]).toEqual(['local', expect.stringContaining('one trusted lab')]);
    expect(of('swarm')).toMatchObject({ seen: ['There is no socket /var/run/docker.sock.'], fix: expect.stringContaining('apt install docker.io') });
    const refused = engineReport({}, { answer: 'refused', facts: null });
    expect(look({}, refused).of('swarm')?.seen).toEqual(['The panel may not use /var/run/docker.sock (root:docker, 0660).']);
    expect(look({}, engineReport({}, { answer: 'silent', facts: null })).of('swarm')?.fix).toContain('systemctl start docker');
  });

  it('asks for a Swarm first when the engine is in none', () => {
    expect(look({}, engineReport({ swarm: 'none' }))).toMatchObject({ proposed: 'swarm' });
    expect(look({}, engineReport({ swarm: 'none' })).of('swarm')).toMatchObject({ whyNot: null, needsSwarm: true });
  });

  it.each([
    [{ isRecent: false }, 'too old'],
    [{ swarm: 'worker' }, 'Another machine manages its Swarm'],
    [{ swarm: 'locked' }, 'locked'],
    [{ swarm: 'unwell' }, 'does not work just now'],
    [{ swarm: 'none', hasLiveRestore: true }, 'live-restore'],
  ] as const)('is not an engine with %o', (facts, why) => {
    const { proposed, of } = look({}, engineReport(facts));
    expect([proposed, of('swarm')?.whyNot, of('swarm')?.needsSwarm]).toEqual(['local', expect.stringContaining(why), false]);
  });

  it('is no container that could not reach the database, and none of a panel without root', () => {
    const remote = { DATABASE_URL: 'postgresql://arb:pw@db.example.org/arb' };
    expect(look(remote, engineReport())).toMatchObject({ proposed: 'local' });
    expect(look({ ...remote, SWARM_OUTBOUND: 'internet' }, engineReport())).toMatchObject({ proposed: 'swarm' });
    expect(look({ ...remote, SWARM_DATABASE: 'own' }, engineReport()).of('swarm')?.whyNot).toContain('could not reach');
    const own = look({ SWARM_DATABASE: 'own' }, engineReport());
    expect([own.proposed, own.of('swarm')?.isolation]).toEqual(['swarm', expect.stringContaining('a database server of its own')]);
    const options = describeOptions(loadConfig({}), engineReport({}, { isRoot: false }));
    expect(options[0]).toMatchObject({ platform: 'swarm', whyNot: 'The panel does not run as root.' });
    expect(options[1]?.isolation).toContain('trust each other');
  });
});

describe('the choice', () => {
  let ctx: TestContext;
  let used: PlatformName[];
  const use = (platform: PlatformName): Promise<void> => Promise.resolve(void used.push(platform));
  const query = <Row>(sql: string): Promise<Row[]> => ctx.db.$queryRawUnsafe(sql);
  const choose = async (platform: PlatformName, more: { use?: typeof use } = {}) =>
    choosePlatform(ctx, await aUser(ctx, { role: 'manager' }), { platform, engine: engineReport(), use, ...more });
  const refusal = async (work: Promise<unknown>): Promise<AppError> =>
    work.then(
      () => Promise.reject(new Error('it was not refused')),
      (error: AppError) => error,
    );

  beforeEach(async () => {
    ctx = await testContext(dokku);
    used = [];
  });
  afterEach(() => ctx.close());

  it('is taken into use at once, recorded, and still there after the next start', async () => {
    expect(await showPlatformChoice(ctx, engineReport())).toMatchObject({ present: 'local', chosenBy: 'nobody', whyFixed: null });
    await choose('dokku');
    expect([ctx.config.PLATFORM, used]).toEqual(['dokku', ['dokku']]);
    expect(await showPlatformChoice(ctx, engineReport())).toMatchObject({ present: 'dokku', chosenBy: 'person', whyFixed: null });
    expect(await ctx.db.audit.findFirst({ where: { action: 'platform.choose' } })).toMatchObject({ subject: 'dokku', detail: { before: 'local' } });
    const next = loadConfig(dokku);
    await settlePlatform(next, query);
    expect(next.PLATFORM).toBe('dokku');
  });

  it('is told apart from the default when it is the default, and then nothing is exchanged', async () => {
    await choose('local');
    expect([used, (await showPlatformChoice(ctx, noEngine)).chosenBy]).toEqual([[], 'person']);
  });

  it('gives way to PLATFORM of the environment, and cannot be made beside it', async () => {
    await choose('dokku');
    const given = loadConfig({ ...dokku, PLATFORM: 'local' });
    await settlePlatform(given, query);
    expect(given.PLATFORM).toBe('local');
    const fixed = { ...ctx, config: given };
    expect(await showPlatformChoice(fixed, noEngine)).toMatchObject({ chosenBy: 'environment', whyFixed: expect.stringContaining('PLATFORM=local') });
    const error = await refusal(choosePlatform(fixed, await aUser(ctx), { platform: 'local', engine: noEngine, use }));
    expect([error.code, error.message]).toEqual(['platform_fixed', expect.stringContaining('started with PLATFORM=local')]);
  });

  it('does not start without the settings that it needs', async () => {
    await choose('dokku');
    await expect(settlePlatform(loadConfig({}), query)).rejects.toThrow('DOKKU_HOST and DOKKU_DOMAIN are needed');
  });

  it('is free between the platforms of this machine, and a Dokku host stands alone', async () => {
    const instance = await anInstance(ctx);
    const error = await refusal(choose('dokku'));
    expect([error.code, error.message]).toEqual(['platform_not_here', expect.stringContaining('1 instance on this machine')]);
    expect([ctx.config.PLATFORM, used]).toEqual(['local', []]);
    const shown = await showPlatformChoice(ctx, engineReport());
    expect([shown.whyFixed, shown.options.map(({ platform, whyNot }) => [platform, whyNot === null])]).toEqual([
      null,
      expect.arrayContaining([
        ['local', true],
        ['swarm', true],
        ['dokku', false],
      ]),
    ]);
    await choose('swarm');
    expect([ctx.config.PLATFORM, used]).toEqual(['swarm', ['swarm']]);
    await ctx.db.instance.update({ where: { id: instance.id }, data: { deletedAt: new Date() } });
    await choose('dokku');
    expect(ctx.config.PLATFORM).toBe('dokku');
  });

  it('waits for jobs', async () => {
    await ctx.db.job.create({ data: { id: 'j1', kind: 'create-course', state: 'running', actorName: 'test' } });
    expect((await refusal(choose('dokku'))).message).toContain('A job is under way');
  });

  it('is refused where the platform cannot be used, and before the engine is a manager', async () => {
    const use_ = { use };
    const by = await aUser(ctx);
    const none = await refusal(choosePlatform(ctx, by, { platform: 'swarm', engine: noEngine, ...use_ }));
    expect([none.code, none.hint]).toEqual(['platform_not_here', expect.stringContaining('apt install docker.io')]);
    const bare = await refusal(choosePlatform(ctx, by, { platform: 'swarm', engine: engineReport({ swarm: 'none' }), ...use_ }));
    expect(bare.message).toContain('in no Swarm yet');
    expect(used).toEqual([]);
  });

  it('changes nothing when the worker cannot take it', async () => {
    const error = await refusal(choose('dokku', { use: () => Promise.reject(new AppError('worker_away')) }));
    expect(error.code).toBe('worker_away');
    expect(ctx.config.PLATFORM).toBe('local');
    expect(await showPlatformChoice(ctx, noEngine)).toMatchObject({ present: 'local', chosenBy: 'nobody' });
    expect(await ctx.db.audit.count({ where: { action: 'platform.choose' } })).toBe(0);
  });

  it('holds up whoever makes an instance meanwhile, who then gets the new platform', async () => {
    const owner = await aUser(ctx, { role: 'manager' });
    const made: Promise<unknown>[] = [];
    await choose('dokku', {
      use: () => {
        made.push(createInstance(ctx, owner, { name: 'made-meanwhile', ownerId: owner.id }));
        return Promise.resolve();
      },
    });
    await Promise.all(made);
    expect(await ctx.db.instance.findFirst({ where: { name: 'made-meanwhile' } })).toMatchObject({ platform: 'dokku' });
  });
});
