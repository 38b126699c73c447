// Choosing a platform in the page: where new instances are made; kept in the database, read at each start.

import type { z } from 'zod';
import type { EngineReport } from '../contracts/engine.ts';
import { AppError } from '../contracts/errors.ts';
import { movePlatforms } from '../contracts/moving.ts';
import type { PlatformChoice, PlatformName, PlatformOption } from '../contracts/platform-choice.ts';
import { lockAddresses } from './addresses.ts';
import { record } from './audit.ts';
import { chosenName, type chosenSchema, readChosenPlatform, setPlatform } from './chosen-platform.ts';
import type { Config } from './config.ts';
import type { Actor, Context } from './context.ts';
import { asJson, type Database, type Transaction } from './database.ts';
import { findCards } from './network-cards.ts';
import { describeOptions, propose } from './platform-options.ts';

/** The worker may have to reach a host that is slow. */
const switchingMs = 40_000;

/** Everything for the page on which one is chosen. @param engine as the worker sees it just now */
export async function showPlatformChoice(ctx: Pick<Context, 'config' | 'db'>, engine: EngineReport): Promise<PlatformChoice> {
  const { config, db } = ctx;
  const options = await optionsNow(config, db, engine);
  const chosen = await readChosenPlatform((sql) => db.$queryRawUnsafe(sql));
  return {
    present: config.PLATFORM,
    chosenBy: config.isPlatformGiven ? 'environment' : chosen === null ? 'nobody' : 'person',
    ...propose(options),
    whyFixed: await whyFixed(config, db),
    options: [...options],
    addresses: addressesFor(config.SWARM_ADVERTISE_ADDRESS),
  };
}

/** Why the platform cannot be changed now; null: it can. */
async function whyFixed(config: Config, db: Database | Transaction): Promise<string | null> {
  if (config.isPlatformGiven) return `The panel was started with PLATFORM=${config.PLATFORM}, which decides. To choose here, start it without PLATFORM.`;
  const jobs = await db.job.count({ where: { state: { in: ['queued', 'running'] } } });
  return jobs > 0 ? 'A job is under way. Wait until it has ended.' : null;
}

const isOnThisMachine = (platform: PlatformName): boolean => movePlatforms.some((one) => one === platform);

/** What can be chosen now: this machine's platforms stand side by side, a Dokku host stands alone. */
async function optionsNow(config: Config, db: Database | Transaction, engine: EngineReport): Promise<PlatformOption[]> {
  const options = describeOptions(config, engine);
  const instances = await db.instance.count({ where: { deletedAt: null } });
  if (instances === 0) return [...options];
  const whyNot = `There ${instances === 1 ? 'is 1 instance' : `are ${instances} instances`} ${isOnThisMachine(config.PLATFORM) ? 'on this machine' : 'on the Dokku host'}, and this panel cannot look after both.`;
  const fix = `Take ${instances === 1 ? 'its' : 'their'} data home and delete ${instances === 1 ? 'it' : 'them'} first, or start a second panel.`;
  return options.map((option) =>
    isOnThisMachine(option.platform) === isOnThisMachine(config.PLATFORM) ? option : { ...option, whyNot, fix, needsSwarm: false },
  );
}

export type Choosing = {
  readonly platform: PlatformName;
  /** As the worker sees it just now. */
  readonly engine: EngineReport;
  /** Lets the worker take another adapter; throws when it cannot. */
  readonly use: (platform: PlatformName) => Promise<void>;
};

/**
 * Keeps the choice and takes it into use, both or neither; no instance can be made meanwhile. Choosing the present one only keeps it.
 * @throws platform_fixed, platform_not_here, and what the worker throws
 */
export async function choosePlatform(ctx: Context, actor: Actor, { platform, engine, use }: Choosing): Promise<void> {
  const before = ctx.config.PLATFORM;
  const isChange = platform !== before;
  let isUsed = false;
  try {
    await ctx.db.$transaction(
      async (tx) => {
        await lockAddresses(tx);
        await demandPossible(ctx.config, tx, { platform, engine, isChange });
        const value = asJson({ platform, byName: actor.name } satisfies z.infer<typeof chosenSchema>);
        await tx.setting.upsert({ where: { name: chosenName }, create: { name: chosenName, value }, update: { value } });
        await record(tx, actor, { action: 'platform.choose', subject: platform, detail: { before } });
        if (isChange) await use(platform);
        isUsed = isChange;
        // Before the lock is given back: who waits for it makes an instance with what stands here.
        setPlatform(ctx.config, platform);
      },
      { timeout: switchingMs },
    );
  } catch (error) {
    setPlatform(ctx.config, before);
    if (isUsed) await use(before);
    throw error;
  }
}

type Wanted = Pick<Choosing, 'platform' | 'engine'> & { readonly isChange: boolean };

async function demandPossible(config: Config, tx: Transaction, { platform, engine, isChange }: Wanted): Promise<void> {
  const reason = config.isPlatformGiven || isChange ? await whyFixed(config, tx) : null;
  if (reason !== null) throw new AppError('platform_fixed', { reason });
  const option = (await optionsNow(config, tx, engine)).find((one) => one.platform === platform);
  if (isChange && option?.whyNot) throw new AppError('platform_not_here', { reason: option.whyNot, fix: option.fix ?? '' });
  if (isChange && option?.needsSwarm)
    throw new AppError('platform_not_here', { reason: 'The Docker Engine is in no Swarm yet.', fix: 'Make it the manager of one first.' });
}

/** IPv4 addresses of this machine at which an engine may manage a Swarm. */
function addressesFor(given: string | undefined): PlatformChoice['addresses'] {
  const own = findCards()
    .filter(({ isIPv4 }) => isIPv4)
    .map(({ address, card }) => ({ address, note: card }));
  const wished = given === undefined || own.some(({ address }) => address === given) ? [] : [{ address: given, note: 'SWARM_ADVERTISE_ADDRESS' }];
  const here = { address: '127.0.0.1', note: 'this machine alone' };
  return [here, ...[...wished, ...own].filter(({ address }) => address !== here.address)];
}

/** Makes the engine the manager of a Swarm; the worker does it. @throws invalid_input with a remark at an address that is not this machine's, and what `make` throws */
export async function makeEngineManager(
  ctx: Pick<Context, 'config' | 'db'>,
  actor: Actor,
  act: { address: string; make: () => Promise<unknown> },
): Promise<void> {
  const { address, make } = act;
  if (!addressesFor(ctx.config.SWARM_ADVERTISE_ADDRESS).some((one) => one.address === address))
    throw new AppError('invalid_input', {}, { fields: { address: 'This machine does not have this address.' } });
  await make();
  await ctx.db.$transaction((tx) => record(tx, actor, { action: 'platform.make-manager', subject: address }));
}
