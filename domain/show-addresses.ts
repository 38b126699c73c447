// What the page about an instance's address shows: the present one, what could be chosen, what leads to it, what it shares.

import { addressModes, type AddressMode, type InstanceAddresses } from '../contracts/addresses.ts';
import type { FormerAddress, Instance } from '../prisma/client/client.ts';
import { visibleTo, type OwnedInstance, type Person } from './access.ts';
import { asAddressed, instanceUrl, isServed, pathPrefixOf } from './addresses.ts';
import { addressOf, urlOf, whyNotHere } from './change-address.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { freePort } from './free-port.ts';
import { lookAtHostName } from './host-names.ts';
import { askDns, findOwnAddresses, type Names } from './system-check-surroundings.ts';

/** Longest list of names under "shared with". */
const namedAtMost = 20;

type Subject = { readonly instance: OwnedInstance; readonly names?: Names };

/** @param subject its instance already checked by `findInstance`; `names`: DNS in place of the system's */
export async function showAddresses(ctx: Context, person: Person, { instance, names = askDns() }: Subject): Promise<InstanceAddresses> {
  const { config } = ctx;
  const former = await ctx.db.formerAddress.findMany({ where: { instanceId: instance.id }, orderBy: { createdAt: 'desc' } });
  const present = addressOf(instance);
  const choices = await Promise.all(addressModes.map((mode) => choiceOf(ctx, { instance, former, mode })));
  const facts = present.hostName === null ? null : await lookAtHostName({ config, names, ownAddresses: findOwnAddresses() }, present.hostName);
  return {
    present: { mode: present.mode, url: instanceUrl(config, instance) },
    fixedBecause: config.PLATFORM === 'dokku' ? 'On a Dokku host each experiment has its name there; the panel cannot give it another one.' : null,
    choices,
    former: former
      .filter((one) => isServed(config, asAddressed(instance, one)))
      .map((one) => ({ id: one.id, since: one.createdAt.toISOString(), mode: one.mode as AddressMode, url: instanceUrl(config, asAddressed(instance, one)) })),
    shared: present.mode === 'path' && config.pathUrl !== null ? await sharersOf(ctx, person, { instance, origin: config.pathUrl.origin }) : null,
    dns: facts && { ...facts },
  };
}

type Asked = { readonly instance: Instance; readonly former: readonly FormerAddress[]; readonly mode: AddressMode };

async function choiceOf(ctx: Context, { instance, former, mode }: Asked): Promise<InstanceAddresses['choices'][number]> {
  const { config } = ctx;
  const present = addressOf(instance);
  const port = mode === 'port' ? (former.find((one) => one.port !== null)?.port ?? (await freePort(ctx.db, config))) : null;
  const isFull = mode === 'port' && port === null && present.mode !== 'port';
  const whyNot = isFull ? 'every port of INSTANCE_PORTS is in use.' : await whyNotHere(config, mode, instance.name);
  const url = urlOf(config, instance, { mode, port, hostName: null });
  const isOwnPath = present.mode === mode && mode !== 'host';
  return {
    mode,
    url: mode === 'host' || whyNot !== null ? null : isOwnPath ? instanceUrl(config, instance) : url,
    whyNot,
    restarts: needsRestart(config, instance, mode),
  };
}

/** oTree learns its path at its start. */
const needsRestart = (config: Config, instance: Instance, mode: AddressMode): boolean =>
  instance.currentDeploymentId !== null &&
  instance.intent === 'run' &&
  pathPrefixOf(config, instance) !== pathPrefixOf(config, { ...instance, addressMode: mode, port: null, hostName: null });

/** All instances below the shared address, but for this one. */
async function sharersOf(ctx: Context, person: Person, { instance, origin }: { instance: Instance; origin: string }): Promise<InstanceAddresses['shared']> {
  const where = { addressMode: 'path', port: null, deletedAt: null, id: { not: instance.id } } as const;
  const [all, seen] = await Promise.all([
    ctx.db.instance.count({ where }),
    ctx.db.instance.findMany({ where: { AND: [where, visibleTo(person)] }, select: { name: true }, orderBy: { name: 'asc' }, take: namedAtMost }),
  ]);
  return { origin, names: seen.map(({ name }) => name), others: all - seen.length };
}
