// Another address for an instance: what may be chosen, the rows in one transaction with the job, and the way back.

import { z } from 'zod';
import { addressModes, type AddressMode } from '../contracts/addresses.ts';
import { AppError } from '../contracts/errors.ts';
import type { StartJob } from '../contracts/jobs.ts';
import type { FormerAddress, Instance, Job } from '../prisma/client/client.ts';
import type { OwnedInstance } from './access.ts';
import { asAddressed, hostNameOf, instanceUrl, isHostNameGiven, leadsHere, lockAddresses, modeOf } from './addresses.ts';
import { record } from './audit.ts';
import type { Config } from './config.ts';
import { systemActor, type Actor, type Context } from './context.ts';
import type { Transaction } from './database.ts';
import { freePort } from './free-port.ts';
import { guard } from './guard.ts';
import { areNamesGiven, isBelowPanel, lookAtHostName, whyNeverOurs } from './host-names.ts';
import { newId } from './ids.ts';
import { announceInstance } from './instances.ts';
import { announceJob, requestJob } from './jobs.ts';
import { askDns, findOwnAddresses, isAddress, hostOf, type Names } from './system-check-surroundings.ts';

const addressSchema = z.object({ mode: z.enum(addressModes), port: z.number().nullable(), hostName: z.string().nullable() });
type Address = z.infer<typeof addressSchema>;
const changeSchema = z.object({
  from: addressSchema,
  to: addressSchema,
  /** The row that keeps the address of before: until the new one works, or until somebody gives it up. */
  formerId: z.string(),
  keepsOld: z.boolean(),
  /** The row that went away because the instance goes back to that address. */
  back: z.object({ id: z.string(), createdAt: z.string() }).nullable(),
});
/** What the job's input says. */
export type AddressChange = z.infer<typeof changeSchema>;
export const readAddressChange = (job: Pick<Job, 'input'>): AddressChange => changeSchema.parse(job.input);

type Wish = Pick<Extract<StartJob, { kind: 'change-address' }>, 'mode' | 'hostName' | 'keepsOld' | 'isConfirmed' | 'reason'>;
/** @param names DNS in place of the system's */
type Request = { readonly instance: OwnedInstance; readonly wish: Wish; readonly names?: Names };

/** What counts of an instance's columns. */
export function addressOf(instance: Pick<Instance, 'port' | 'hostName' | 'addressMode'>): Address {
  const mode = modeOf(instance);
  return { mode, port: instance.port, hostName: mode === 'host' ? instance.hostName : null };
}

const isSame = (one: Pick<Address, 'mode' | 'hostName'>, other: Pick<Address, 'mode' | 'hostName'>): boolean =>
  one.mode === other.mode && one.hostName === other.hostName;

/** Why this kind cannot be had on this panel by an instance of this name; null: it can. Ports may still be used up. */
export async function whyNotHere(config: Config, mode: AddressMode, name: string): Promise<string | null> {
  if (config.PLATFORM === 'dokku') return 'on a Dokku host each experiment has its name there.';
  if (mode === 'path' && config.pathUrl === null) return 'PATH_URL is not set; a manager sets it and starts the panel again.';
  if (mode !== 'subdomain') return null;
  const host = hostOf(config);
  if (isAddress(host)) return 'there are no names below an address; the panel would need a host name (PUBLIC_URL).';
  if (config.ADDRESS_MODE === 'subdomain') return null;
  const hostName = hostNameOf(config, { name, hostName: null });
  return (await leadsHere(config, hostName)) ? null : `DNS does not lead ${hostName} to this machine; ask for that name, or for a wildcard entry *.${host}.`;
}

/**
 * Writes the new address and the job that opens it. The address of before is kept until the new one works, and longer when wished.
 * @throws address_not_here, address_unchanged, host_name_refused, host_name_elsewhere, invalid_input, job_in_progress
 */
export async function changeAddress(ctx: Context, actor: Actor, { instance, wish, names = askDns() }: Request): Promise<Job> {
  if (instance.state === 'failed') throw new AppError('instance_not_created');
  const { mode, hostName } = await findTarget(ctx.config, { instance, wish, names });
  const isWildcardHere = hostName !== null && isBelowPanel(ctx.config, hostName) && (await leadsHere(ctx.config, `arboretum-probe.${hostOf(ctx.config)}`));
  const job = await ctx.db.$transaction(async (tx) => {
    await lockAddresses(tx);
    const row = await tx.instance.findUniqueOrThrow({ where: { id: instance.id }, include: { formerAddresses: true } });
    if (row.deletedAt !== null) throw new AppError('not_found');
    if (isSame(addressOf(row), { mode, hostName })) throw new AppError('address_unchanged', {}, { fields: { mode: 'It has this address already.' } });
    await requireFree(tx, ctx.config, { row, mode, hostName, isWildcardHere });
    const change = await move(tx, ctx.config, { row, mode, hostName, keepsOld: wish.keepsOld });
    const asked = await requestJob(tx, actor, { kind: 'change-address', instanceId: row.id, input: change });
    await record(tx, actor, {
      action: 'instance.change-address',
      subject: row.name,
      instanceId: row.id,
      detail: { from: urlOf(ctx.config, row, change.from), to: urlOf(ctx.config, row, change.to), keepsOld: wish.keepsOld, reason: wish.reason },
    });
    return asked;
  });
  await announceInstance(ctx, instance.id);
  await announceJob(ctx, job.id);
  return job;
}

/** The address as people type it. */
export const urlOf = (config: Config, instance: Pick<Instance, 'id' | 'name'>, address: Address): string => instanceUrl(config, asAddressed(instance, address));

/** What is meant: whoever types the instance's own name below the panel's means that kind, and must not get it twice. */
async function findTarget(config: Config, { instance, wish, names }: Required<Request>): Promise<{ mode: AddressMode; hostName: string | null }> {
  const reason = await whyNotHere(config, wish.mode, instance.name);
  if (reason !== null) throw new AppError('address_not_here', { reason }, { fields: { mode: reason } });
  if (wish.mode !== 'host') return { mode: wish.mode, hostName: null };
  const hostName = requireHostName(config, wish.hostName);
  if (wish.isConfirmed !== true) await requireLeadsHere(config, names, hostName);
  return hostName === hostNameOf(config, { name: instance.name, hostName: null }) ? { mode: 'subdomain', hostName: null } : { mode: 'host', hostName };
}

function requireHostName(config: Config, hostName: string | undefined): string {
  if (hostName === undefined) throw new AppError('invalid_input', {}, { fields: { hostName: 'Type the host name.' } });
  const reason = whyNeverOurs(config, hostName);
  if (reason !== null) throw refused(hostName, reason);
  return hostName;
}

const refused = (hostName: string, reason: string): AppError =>
  new AppError('host_name_refused', { hostName, reason }, { fields: { hostName: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}` } });

async function requireLeadsHere(config: Config, names: Names, hostName: string): Promise<void> {
  const { leads, seen, request } = await lookAtHostName({ config, names, ownAddresses: findOwnAddresses() }, hostName);
  if (leads !== 'here') throw new AppError('host_name_elsewhere', { seen, request });
}

type Target = {
  readonly row: Instance & { readonly formerAddresses: readonly FormerAddress[] };
  readonly mode: AddressMode;
  readonly hostName: string | null;
};

/** Names below the panel's belong to the instance that is called so; any other one to whoever had it first. */
async function requireFree(tx: Transaction, config: Config, { row, mode, hostName, isWildcardHere }: Target & { isWildcardHere: boolean }): Promise<void> {
  if (mode === 'subdomain' && (await isHostNameGiven(tx, hostNameOf(config, { name: row.name, hostName: null }), row.id)))
    throw new AppError('address_not_here', { reason: 'another instance has this very name as a host name of its own.' });
  if (hostName === null) return;
  if (isBelowPanel(config, hostName) && (isWildcardHere || config.ADDRESS_MODE === 'subdomain' || (await areNamesGiven(tx))))
    throw refused(hostName, `names below ${hostOf(config)} are for instances that are called so; choose “${row.name}.${hostOf(config)}”, or a name elsewhere.`);
  if (await isHostNameGiven(tx, hostName, row.id)) throw refused(hostName, 'another instance has it, or had it and keeps it.');
}

/** The rows; a port or name of before never becomes free here, because the front door still serves it. */
async function move(tx: Transaction, config: Config, { row, mode, hostName, keepsOld }: Target & { keepsOld: boolean }): Promise<AddressChange> {
  const back = row.formerAddresses.find((former) => isSame({ mode: former.mode as AddressMode, hostName: former.hostName }, { mode, hostName })) ?? null;
  const port = mode === 'port' ? (back?.port ?? (await freePort(tx, config))) : null;
  if (mode === 'port' && port === null)
    throw new AppError('address_not_here', { reason: 'every port of INSTANCE_PORTS is in use.' }, { fields: { mode: 'Every port is in use.' } });
  const from = addressOf(row);
  const formerId = newId();
  if (back) await tx.formerAddress.delete({ where: { id: back.id } });
  await tx.instance.update({ where: { id: row.id }, data: { addressMode: mode, port, hostName } });
  await tx.formerAddress.create({ data: { id: formerId, instanceId: row.id, ...from } });
  return { from, to: { mode, port, hostName }, formerId, keepsOld, back: back && { id: back.id, createdAt: back.createdAt.toISOString() } };
}

/** Undoes the rows of a change that the front door or oTree would not have. Safe to repeat. */
export async function putAddressBack(ctx: Context, instance: Pick<Instance, 'id' | 'name'>, { from, to, formerId, back }: AddressChange): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    await lockAddresses(tx);
    const { count } = await tx.formerAddress.deleteMany({ where: { id: formerId } });
    if (count === 0) return;
    await tx.instance.update({ where: { id: instance.id }, data: { addressMode: from.mode, port: from.port, hostName: from.hostName } });
    if (back) await tx.formerAddress.create({ data: { id: back.id, instanceId: instance.id, ...to, createdAt: new Date(back.createdAt) } });
    await record(tx, systemActor, {
      action: 'instance.put-address-back',
      subject: instance.name,
      instanceId: instance.id,
      detail: { from: urlOf(ctx.config, instance, to), to: urlOf(ctx.config, instance, from) },
    });
  });
  await announceInstance(ctx, instance.id);
}

/** Asks for the end of an address of before: who still uses it then finds nobody. @throws not_found, people_in_session, job_in_progress */
export async function giveUpAddress(
  ctx: Context,
  actor: Actor,
  { instance, formerId, reason }: { instance: OwnedInstance; formerId: string; reason?: string | undefined },
): Promise<Job> {
  const former = await ctx.db.formerAddress.findFirst({ where: { id: formerId, instanceId: instance.id } });
  if (!former) throw new AppError('not_found');
  guard(instance, reason);
  const address = urlOf(ctx.config, instance, { mode: former.mode as AddressMode, port: former.port, hostName: former.hostName });
  const job = await ctx.db.$transaction(async (tx) => {
    const asked = await requestJob(tx, actor, { kind: 'give-up-address', instanceId: instance.id, input: { formerId } });
    await record(tx, actor, { action: 'instance.give-up-address', subject: instance.name, instanceId: instance.id, detail: { address, reason } });
    return asked;
  });
  await announceInstance(ctx, instance.id);
  await announceJob(ctx, job.id);
  return job;
}
