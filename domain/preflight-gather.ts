// Gathers what the preflight judges: rows, the source, the running oTree, the address from outside, the machine, the mail server.

import { otreeLookSchema, type OtreeLook, type PreflightWish } from '../contracts/preflight.ts';
import { completionLinks, type Recruitment } from '../contracts/recruiting.ts';
import { botStep } from '../contracts/bots.ts';
import type { Instance } from '../prisma/client/client.ts';
import { instanceUrl } from './addresses.ts';
import { listBots } from './bots.ts';
import type { Context } from './context.ts';
import { readFacts } from './facts.ts';
import { tryMailServer } from './mail-smtp.ts';
import type { PreflightFacts } from './preflight-facts.ts';
import { visit } from './preflight-visit.ts';
import { readProject } from './present-instance.ts';
import { readRecruitment } from './recruiting-fields.ts';
import { findDeployHead, readTexts } from './repositories.ts';
import { roomsOf, withRooms } from './rooms.ts';
import { sealedPlace } from './specs.ts';
import { lookAtDisk, lookAtMemory } from './system-check-machine.ts';

/** The questions that only the worker can answer; null when it does not. */
export type AskOtree = (question: { readonly instanceId: string; readonly room: string }) => Promise<OtreeLook | null>;

const sourcePaths = ['*.py', '*.html', '*.js', 'requirements*.txt'];

/** Everything side by side; each question has a limit of its own. @param found with facts that were read just now */
export async function gatherPreflight(
  ctx: Context,
  { instance: found, wish, ask }: { instance: Instance; wish: PreflightWish; ask: AskOtree },
): Promise<PreflightFacts> {
  const instance = await withRooms(ctx, found);
  const row = await ctx.db.recruitment.findUnique({ where: { instanceId_room: { instanceId: instance.id, room: wish.room } } });
  const chosen = row && readRecruitment(row);
  const kind = wish.kind ?? chosen?.kind ?? (wish.room === '' ? 'mturk' : 'lab');
  const recruitment = chosen?.kind === kind ? chosen : null;
  const url = instanceUrl(ctx.config, instance);
  const link = (recruitment && completionLinks(recruitment).done) ?? null;
  const deployment = await lookAtDeployments(ctx, instance);
  const at = deployment.currentCommit === null ? null : { instanceId: instance.id, commit: deployment.currentCommit };
  const [otree, visited, completion, mail, bots, lastBackup, machine, source, variables] = await Promise.all([
    ask({ instanceId: instance.id, room: wish.room }).then((look) => (look === null ? null : otreeLookSchema.parse(look))),
    visit(`${url}/login`),
    link === null ? null : visit(link),
    lookAtMail(ctx),
    lookAtBots(ctx, instance),
    ctx.db.backup.findFirst({ where: { instanceId: instance.id, verifiedAt: { not: null } }, orderBy: { createdAt: 'desc' }, select: { createdAt: true } }),
    ctx.config.PLATFORM === 'dokku' ? null : lookAtMachine(ctx),
    at === null ? new Map<string, string>() : readTexts(ctx.config.layout, at, sourcePaths),
    ctx.db.environmentVariable.findMany({ where: { instanceId: instance.id }, select: { name: true } }),
  ]);
  return {
    kind,
    room: wish.room,
    recruitment,
    people: wish.people ?? expectedOf(recruitment),
    instance: { ...seenOf(ctx, instance), variables: variables.map(({ name }) => name), url },
    adminPassword: ctx.sealer.open(instance.adminPassword, sealedPlace(instance.id, 'admin_password')).open(),
    deployment,
    configs: readProject(instance)?.sessionConfigs ?? [],
    otreeVersion: readProject(instance)?.otreeVersion ?? null,
    listedRoom: roomsOf(instance).find(({ name }) => name === wish.room) ?? null,
    open: openIn(instance, wish.room),
    otree,
    visited,
    completion,
    mail,
    bots,
    lastBackupAt: lastBackup?.createdAt ?? null,
    machine,
    source,
    now: new Date(),
  };
}

const expectedOf = (recruitment: Recruitment | null): number | null => recruitment?.settings.expectedPeople ?? null;

function seenOf(ctx: Context, instance: Instance): Omit<PreflightFacts['instance'], 'variables' | 'url'> {
  const { name, state, authLevel, isProduction, memoryBytes, memoryMib, diskMib } = instance;
  const { diskBytes, rows, lastParticipantAt } = readFacts(instance);
  return {
    name,
    state,
    authLevel,
    isProduction,
    memoryBytes: memoryBytes === null ? null : Number(memoryBytes),
    memoryMib: memoryMib ?? ctx.config.INSTANCE_MEMORY_MIB,
    diskBytes,
    diskMib: diskMib ?? ctx.config.INSTANCE_DISK_MIB,
    rows,
    lastParticipantAt: lastParticipantAt === null ? null : new Date(lastParticipantAt),
  };
}

function openIn(instance: Instance, room: string): PreflightFacts['open'] {
  const { roomSessions, participants } = readFacts(instance);
  const code = roomSessions[room];
  return code === undefined ? null : { code, started: participants.filter((one) => one.room === room).length };
}

async function lookAtDeployments(ctx: Context, instance: Instance): Promise<PreflightFacts['deployment']> {
  const [current, newest, head] = await Promise.all([
    instance.currentDeploymentId === null ? null : ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId }, select: { commit: true } }),
    ctx.db.deployment.findFirst({ where: { instanceId: instance.id }, orderBy: { number: 'desc' }, select: { commit: true, state: true } }),
    findDeployHead(ctx.config.layout, instance).catch(() => null),
  ]);
  return { currentCommit: current?.commit ?? null, newest, headCommit: head?.commit ?? null };
}

async function lookAtMail(ctx: Context): Promise<PreflightFacts['mail']> {
  const { server } = ctx.mailer;
  if (server === null) return { server: null, problem: null };
  const problem = await tryMailServer(ctx.config).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { server: server.name, problem };
}

/** The newest play of each config of the version in use counts. */
async function lookAtBots(ctx: Context, instance: Instance): Promise<PreflightFacts['bots']> {
  const { canPlay, runs } = await listBots(ctx, instance);
  const ofThis = runs.filter(({ isCurrent }) => isCurrent);
  const [newest] = ofThis;
  if (!newest) return { canPlay, last: null };
  const states = new Map<string, string>();
  for (const { configs } of ofThis.toReversed()) for (const { name, state } of configs) states.set(name.replace(botStep, ''), state);
  const named = (wanted: (state: string) => boolean): string[] => [...states].flatMap(([name, state]) => (wanted(state) ? [name] : []));
  return { canPlay, last: { state: newest.state, failed: named((state) => state === 'failed'), played: named((state) => state !== 'running') } };
}

async function lookAtMachine(ctx: Context): Promise<PreflightFacts['machine']> {
  const [memory, disk] = await Promise.all([lookAtMemory('/proc'), lookAtDisk(ctx.config.layout.dataDir)]);
  return { availableMib: memory.availableMib, freeDiskMib: disk.freeMib };
}
