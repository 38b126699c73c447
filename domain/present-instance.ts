// An instance's row as people see it: the short form for lists and events, the long form for its page.

import { z } from 'zod';
import type { DeploymentView, InstanceSummary, InstanceView, RoomView } from '../contracts/instances.ts';
import type { Standing } from '../contracts/roles.ts';
import type { InstanceState } from '../contracts/states.ts';
import type { ProjectDescription } from '../platforms/platform.ts';
import type { Deployment, Instance, Job, Prisma, User } from '../prisma/client/client.ts';
import { gitRemoteUrl, instanceUrl, lobbyUrl } from './addresses.ts';
import type { Context } from './context.ts';
import { readFacts } from './facts.ts';
import { presentJob } from './present-job.ts';

type Openers = { jobs: Job[]; deployments: (Deployment & { jobs: Pick<Job, 'id'>[] })[] };
export type InstanceRow = Instance & { owner: Pick<User, 'id' | 'name'> } & Openers;

/** What a query must bring along for presenting: owner, the job under way, the newest successful deployment. */
export const forPresenting = {
  owner: { select: { id: true, name: true } },
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
const staleMs = 120_000;
const passing: readonly string[] = ['creating', 'deleting', 'waiting', 'failed', 'building'];

function shownState(instance: Instance): InstanceState {
  const state = instance.state as InstanceState;
  const isStale = instance.observedAt !== null && Date.now() - instance.observedAt.getTime() > staleMs;
  return isStale && !passing.includes(state) ? 'unknown' : state;
}

export function presentSummary(ctx: Pick<Context, 'config'>, row: InstanceRow): InstanceSummary {
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
    // After a roll back the newest deployment is not the one that runs.
    otreeVersion: readProject(row)?.otreeVersion ?? last?.otreeVersion ?? null,
    memoryBytes: row.memoryBytes === null ? null : Number(row.memoryBytes),
    createdAt: row.createdAt.toISOString(),
    lastDeployedAt: iso(last?.endedAt),
    job: job ? presentJob({ ...job, instance: { name: row.name } }) : null,
  };
}

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
    state: z.enum(['waiting', 'building', 'succeeded', 'failed', 'cancelled']).catch('failed').parse(deployment.state),
    createdAt: deployment.createdAt.toISOString(),
    endedAt: iso(deployment.endedAt),
    jobId: deployment.jobs[0]?.id ?? null,
    isCurrent: id === currentId,
    source: deployment.source,
    canRollBack: id !== currentId && deployment.state === 'succeeded' && deployment.isReleaseKept && deployment.project !== null,
  };
}

function presentRooms(ctx: Pick<Context, 'config'>, row: Instance): RoomView[] {
  const sessions = readFacts(row).roomSessions;
  return (readProject(row)?.rooms ?? []).map((room) => ({
    name: room.name,
    displayName: room.displayName,
    labels: room.labels === null ? null : [...room.labels],
    usesSecureUrls: room.usesSecureUrls,
    hasWelcomePage: room.hasWelcomePage,
    problem: room.problem,
    sessionCode: sessions[room.name] ?? null,
    lobbyUrl: lobbyUrl(ctx.config, row.name, room.name),
  }));
}

export type PageExtras = {
  readonly standing: Standing;
  readonly lastBackupAt: Date | null;
  readonly current: DeploymentView | null;
  readonly isolationNote: string;
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
    rooms: presentRooms(ctx, row),
    sessionConfigs: (project?.sessionConfigs ?? []).map(({ name, displayName, numDemoParticipants }) => ({ name, displayName, numDemoParticipants })),
    now: {
      databaseBytes: facts.databaseBytes,
      rows: facts.rows,
      participantsInSession: facts.participantsInSession,
      sessions: facts.sessions,
      lastBackupAt: iso(extras.lastBackupAt),
      webProcesses: row.webProcesses,
      restarts: row.restarts,
    },
    platform: { kind: row.platform, isolationNote: extras.isolationNote },
  };
}
