// An instance's row as people see it: the short form for lists and events, the long form for its page.

import { z } from 'zod';
import type { DeploymentView, InstanceSummary, InstanceView, RoomView } from '../contracts/instances.ts';
import { canOnInstance, type Standing } from '../contracts/roles.ts';
import type { InstanceState } from '../contracts/states.ts';
import type { ProjectDescription } from '../platforms/project.ts';
import type { Deployment, Instance, Job, PanelRoom, Prisma, User } from '../prisma/client/client.ts';
import { withPeople, type OwnedInstance } from './access.ts';
import { gitRemoteUrl, instanceUrl, lobbyUrl, modeOf } from './addresses.ts';
import type { KnownCapabilities } from './capabilities.ts';
import type { Context } from './context.ts';
import { readFacts } from './facts.ts';
import { presentJob } from './present-job.ts';
import { readTraceback } from './last-traceback.ts';
import { roomsOf } from './rooms.ts';

type Openers = { jobs: Job[]; deployments: (Deployment & { jobs: Pick<Job, 'id'>[] })[] };
export type InstanceRow = OwnedInstance & Openers;

/** What a query must bring along for presenting: owner, the job under way, the newest successful deployment. */
export const forPresenting = {
  ...withPeople,
  jobs: { where: { state: { in: ['queued', 'running'] } }, orderBy: { createdAt: 'asc' }, take: 1 },
  deployments: {
    where: { state: 'succeeded' },
    orderBy: { number: 'desc' },
    take: 1,
    include: { jobs: { select: { id: true }, orderBy: { createdAt: 'desc' }, take: 1 } },
  },
} satisfies Prisma.InstanceInclude;

const iso = (date: Date | null | undefined): string | null => date?.toISOString() ?? null;

/** What settings.py of the running release says, null before the first deployment. */
export const readProject = (instance: Pick<Instance, 'project'>): ProjectDescription | null => instance.project as ProjectDescription | null;

/** Null and a note when nobody has looked for a minute: unknown is shown as unknown, with its age. */
export const staleMs = 120_000;
/** States that do not get old: nobody observes these instances, or a job does. */
export const passing: readonly string[] = ['creating', 'deleting', 'waiting', 'failed', 'building'];

/** The observed state, `unknown` when nobody has looked lately. */
export function shownState(instance: Pick<Instance, 'state' | 'observedAt'>): InstanceState {
  const state = instance.state as InstanceState;
  const isStale = instance.observedAt !== null && Date.now() - instance.observedAt.getTime() > staleMs;
  return isStale && !passing.includes(state) ? 'unknown' : state;
}

type SummaryColumns =
  | 'id'
  | 'name'
  | 'intent'
  | 'state'
  | 'stateDetail'
  | 'stateSince'
  | 'observedAt'
  | 'addressMode'
  | 'port'
  | 'hostName'
  | 'frontCertificateUntil'
  | 'memoryBytes'
  | 'createdAt'
  | 'lastActivityAt';
/** What the short form is made of; the list reads just these. */
export type SummaryRow = Pick<Instance, SummaryColumns> & {
  readonly owner: Pick<User, 'id' | 'name'>;
  readonly databaseBytes: number | null;
  readonly diskBytes: number | null;
  readonly lastParticipantAt: string | null;
  /** Of the release that runs; after a roll back that is not the newest deployment. */
  readonly otreeVersion: string | null;
  readonly jobs: readonly Job[];
  readonly deployments: readonly Pick<Deployment, 'endedAt'>[];
};

/** The short form of a whole row. */
export function presentSummary(ctx: Pick<Context, 'config'>, row: InstanceRow): InstanceSummary {
  const { databaseBytes, diskBytes, lastParticipantAt } = readFacts(row);
  const otreeVersion = readProject(row)?.otreeVersion ?? row.deployments[0]?.otreeVersion ?? null;
  return presentSummaryRow(ctx, { ...row, databaseBytes, diskBytes, lastParticipantAt, otreeVersion });
}

export function presentSummaryRow(ctx: Pick<Context, 'config'>, row: SummaryRow): InstanceSummary {
  const job = row.jobs[0];
  const last = row.deployments[0];
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    intent: row.intent,
    state: shownState(row),
    stateDetail: row.stateDetail,
    stateSince: row.stateSince.toISOString(),
    observedAt: iso(row.observedAt),
    url: instanceUrl(ctx.config, row),
    addressMode: modeOf(row),
    otreeVersion: row.otreeVersion,
    memoryBytes: row.memoryBytes === null ? null : Number(row.memoryBytes),
    createdAt: row.createdAt.toISOString(),
    lastDeployedAt: iso(last?.endedAt),
    lastActivityAt: iso(row.lastActivityAt),
    databaseBytes: row.databaseBytes,
    diskBytes: row.diskBytes,
    lastParticipantAt: row.lastParticipantAt,
    job: job ? presentJob({ ...job, instance: { name: row.name } }) : null,
  };
}

const warningsSchema = z.array(z.string()).catch([]);
const deploymentStateSchema = z.enum(['waiting', 'building', 'succeeded', 'failed', 'cancelled']).catch('failed');

/** What was said about a deployment when it was built or brought back; what cannot be read is nothing. */
export const readWarnings = ({ warnings }: Pick<Deployment, 'warnings'>): string[] => warningsSchema.parse(warnings);

export function presentDeployment(deployment: Deployment & { jobs: Pick<Job, 'id'>[] }, currentId: string | null): DeploymentView {
  const { id, number, commit, message, author, branch, otreeVersion, createdByName } = deployment;
  return {
    id,
    number,
    commit,
    message,
    author,
    branch,
    otreeVersion,
    createdByName,
    state: deploymentStateSchema.parse(deployment.state),
    createdAt: deployment.createdAt.toISOString(),
    endedAt: iso(deployment.endedAt),
    jobId: deployment.jobs[0]?.id ?? null,
    isCurrent: id === currentId,
    warnings: readWarnings(deployment),
    source: deployment.source,
    canRollBack: id !== currentId && deployment.state === 'succeeded' && deployment.isReleaseKept && deployment.project !== null,
  };
}

function presentRooms(ctx: Pick<Context, 'config'>, row: Instance, panelRooms: readonly PanelRoom[]): RoomView[] {
  const sessions = readFacts(row).roomSessions;
  return roomsOf({ project: row.project, panelRooms }).map((room) => ({
    name: room.name,
    displayName: room.displayName,
    labels: room.labels === null ? null : [...room.labels],
    usesSecureUrls: room.usesSecureUrls,
    hasWelcomePage: room.hasWelcomePage,
    problem: room.problem,
    sessionCode: sessions[room.name] ?? null,
    lobbyUrl: lobbyUrl(ctx.config, row.name, room.name),
    edited: room.edited && { ...room.edited, at: room.edited.at.toISOString() },
  }));
}

export type PageExtras = {
  readonly standing: Standing;
  readonly lastBackupAt: Date | null;
  readonly current: DeploymentView | null;
  readonly capabilities: Pick<KnownCapabilities, 'isolationNote' | 'memoryLimit' | 'diskLimit' | 'canMoveTo'>;
  readonly panelRooms: readonly PanelRoom[];
};

export function presentInstance(ctx: Pick<Context, 'config'>, row: InstanceRow, extras: PageExtras): InstanceView {
  const project = readProject(row);
  const facts = readFacts(row);
  return {
    ...presentSummary(ctx, row),
    standing: extras.standing,
    git: { remoteUrl: gitRemoteUrl(ctx.config, row.name), deployBranch: row.deployBranch, current: extras.current },
    otree: {
      adminUsername: project?.adminUsername ?? null,
      authLevel: z.enum(['STUDY', 'DEMO', '']).catch('STUDY').parse(row.authLevel),
      isProduction: row.isProduction,
    },
    resetsOnDrift: row.resetsOnDrift,
    rooms: presentRooms(ctx, row, extras.panelRooms),
    sessionConfigs: (project?.sessionConfigs ?? []).map(({ name, displayName, numDemoParticipants }) => ({ name, displayName, numDemoParticipants })),
    now: {
      databaseBytes: facts.databaseBytes,
      rows: facts.rows,
      participantsInSession: facts.participantsInSession,
      sessions: facts.sessions,
      sessionsInUse: facts.sessionsInUse,
      lastBackupAt: iso(extras.lastBackupAt),
      webProcesses: row.webProcesses,
      restarts: row.restarts,
    },
    platform: {
      kind: row.platform,
      isolationNote: extras.capabilities.isolationNote,
      hasMemoryLimit: extras.capabilities.memoryLimit,
      hasDiskLimit: extras.capabilities.diskLimit,
      canMoveTo: facts.hasOwnDatabaseServer ? null : extras.capabilities.canMoveTo,
      hasOwnDatabaseServer: facts.hasOwnDatabaseServer,
      host: facts.host,
    },
    limits: {
      memoryMib: row.memoryMib,
      diskMib: row.diskMib,
      panelMemoryMib: ctx.config.INSTANCE_MEMORY_MIB,
      panelDiskMib: ctx.config.INSTANCE_DISK_MIB,
    },
    notes: row.notes,
    lastTraceback: canOnInstance(extras.standing, 'instance.read-logs') ? readTraceback(row) : null,
  };
}
