// What the server may ask the worker, and who answers: what only the worker can reach.

import { Readable } from 'node:stream';
import type { GroundView } from '../contracts/system-check.ts';
import type { WorkerQuestion } from '../contracts/worker.ts';
import { adoptionOf, judgeForeign } from '../domain/adoptions.ts';
import { openBotsData } from '../domain/bots.ts';
import type { WorkerContext } from '../domain/context.ts';
import { listExports, openExport, readPageTimes } from '../domain/exports.ts';
import type { FactsWatch } from '../domain/facts-watch.ts';
import { hostsOf, listHosts } from '../domain/hosts.ts';
import { measureLoad } from '../domain/load.ts';
import { createOtreeSession } from '../domain/otree-sessions.ts';
import { lookForPreflight } from '../domain/preflight-otree.ts';
import type { RoomsKeeper } from '../domain/rooms-keeper.ts';
import { searchLog, wholeLog } from '../domain/runtime-logs.ts';
import { findReturned, readSessionPeople } from '../domain/session-people.ts';
import { walkTestClick } from '../domain/test-click.ts';
import { lookAtEngine, makeManager } from './adapters.ts';
import { lookForCancel } from './cancelling.ts';
import { usePlatform } from './use-platform.ts';

export type RoundWork = { readonly facts: FactsWatch; readonly rooms: RoomsKeeper };

type Kind = WorkerQuestion['kind'];
type Asked<K extends Kind> = Extract<WorkerQuestion, { kind: K }>;
type Answering<K extends Kind> = (ctx: WorkerContext, question: Asked<K>, work: RoundWork) => unknown;

const logBytes = 256 * 1024;
const done = { isDone: true };

const answering: { readonly [K in Kind]: Answering<K> } = {
  ping: () => ({ isAlive: true }),
  'read-log': (ctx, { instanceId, position }) => ctx.platform.readLogFrom(instanceId, { position, maxBytes: logBytes }),
  'search-log': (ctx, question) => searchLog(ctx, question),
  'stream-log': (ctx, { instanceId }) => Readable.from(wholeLog(ctx, instanceId), { objectMode: false }),
  'cancel-job': (_ctx, { jobId }) => lookForCancel(jobId),
  'create-session': createOtreeSession,
  'look-at-host': (ctx) => ctx.platform.lookAtHost(),
  'list-foreign-apps': async ({ platform }) => ({ isPossible: platform.adoption !== null, apps: (await platform.adoption?.list()) ?? [] }),
  'look-at-foreign-app': async (ctx, { app }) => judgeForeign(await adoptionOf(ctx, app).look(app)),
  watch: (_ctx, { instanceId }, { facts }) => {
    facts.watch(instanceId);
    return done;
  },
  look: async (ctx, { instanceId }, { facts }) => {
    await facts.lookNow(ctx, instanceId);
    return done;
  },
  'apply-rooms': async (ctx, { instanceId }, { rooms }) => {
    await rooms.apply(ctx, instanceId);
    return done;
  },
  'list-exports': (ctx, { instanceId }) => listExports(ctx, instanceId),
  'open-export': openExport,
  'read-page-times': readPageTimes,
  'open-bots-data': openBotsData,
  'test-click': walkTestClick,
  'session-people': readSessionPeople,
  'find-returned': findReturned,
  'look-for-preflight': lookForPreflight,
  'measure-load': (ctx, { instanceId }) => measureLoad(ctx, instanceId),
  'list-hosts': listHosts,
  'tell-join-command': async (ctx) => ({ command: await hostsOf(ctx).joinCommand() }),
  'set-host': async (ctx, { hostId, takesInstances }) => {
    await hostsOf(ctx).setTaking(hostId, takesInstances);
    return done;
  },
  'remove-host': async (ctx, { hostId }) => {
    await hostsOf(ctx).remove(hostId);
    return done;
  },
  'look-at-ground': async ({ frontDoor, platform }) => {
    const [door, capabilities] = await Promise.all([frontDoor.check(), platform.capabilities()]);
    return { frontDoor: door, ...capabilities } satisfies GroundView;
  },
  'look-at-engine': lookAtEngine,
  'make-manager': async ({ config }, { address }) => {
    await makeManager(config.DOCKER_SOCKET, address);
    return done;
  },
  'use-platform': async (ctx, { platform }) => {
    await usePlatform(ctx, platform);
    return done;
  },
};

/** Answers one question: a value for JSON, or a stream. @throws AppError as whoever answers does */
export const answer = (ctx: WorkerContext, work: RoundWork, question: WorkerQuestion): unknown =>
  (answering[question.kind] as Answering<Kind>)(ctx, question, work);
