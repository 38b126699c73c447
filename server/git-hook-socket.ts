// What keeps the real git in bounds: its settings and environment, and the Unix socket where its hook asks once per push.

import { randomBytes } from 'node:crypto';
import { access, chmod, constants, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import { AppError, describeError } from '../contracts/errors.ts';
import type { Log } from '../domain/context.ts';
import type { GitRepository, Push, PushVerdict } from './git-access.ts';

/** Answers one push; what it throws becomes a refusal. */
export type PushJudge = (push: Push) => Promise<PushVerdict>;
export type HookSocket = {
  /** Lets one hook ask once, with these environment variables. `forget` ends the permission of a hook that never asked. */
  expect(judge: PushJudge): { environment: Readonly<Record<string, string>>; forget(): void };
  /** @throws when git would skip the hook (it does so in silence when the file cannot be executed) */
  assertReady(): Promise<void>;
  close(): Promise<void>;
};
export type HookPlace = { socketPath: string; hooksDir: string; nodeBinary: string; log: Log };

const largestQuestionBytes = 1024 * 1024; // some 6,000 refs
const objectId = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
const questionSchema = z.strictObject({
  token: z.string().length(64),
  options: z.array(z.string().max(1000)).max(20),
  updates: z.array(z.strictObject({ ref: z.string(), oldCommit: objectId, newCommit: objectId })).min(1),
});

// A constant: what differs comes by the environment, which only the panel sets. No `#!node`: a path with blanks has no place there.
const hookFile = '#!/bin/sh\nexec "$ARBORETUM_NODE" "$ARBORETUM_HOOK"\n';

/**
 * Writes the hook into `hooksDir` and listens at `socketPath` (0600, a stale socket there is replaced).
 *
 * Whoever knows the token of a running push may ask, and only the first time.
 */
export async function startHookSocket(place: HookPlace): Promise<HookSocket> {
  const hook = path.join(place.hooksDir, 'pre-receive');
  await mkdir(place.hooksDir, { recursive: true });
  await writeFile(hook, hookFile);
  await chmod(hook, 0o755);
  const judges = new Map<string, PushJudge>();
  const server = await listen(place, judges);
  const environment = {
    ARBORETUM_NODE: place.nodeBinary,
    ARBORETUM_HOOK: fileURLToPath(new URL('./pre-receive.mjs', import.meta.url)),
    ARBORETUM_HOOK_SOCKET: place.socketPath,
  };
  return {
    expect(judge) {
      const token = randomBytes(32).toString('hex');
      judges.set(token, judge);
      return { environment: { ...environment, ARBORETUM_PUSH: token }, forget: () => void judges.delete(token) };
    },
    assertReady: () => access(hook, constants.X_OK),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(place: HookPlace, judges: Map<string, PushJudge>): Promise<Server> {
  const entry = await lstat(place.socketPath).catch(() => null);
  if (entry?.isSocket()) await rm(place.socketPath, { force: true });
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, judges, place.log).then(
      (verdict) => reply(response, verdict),
      () => response.destroy(), // a hook that cannot be read; it refuses by itself when it gets no answer
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(place.socketPath, resolve);
  });
  await chmod(place.socketPath, 0o600);
  return server;
}

async function answer(request: IncomingMessage, judges: Map<string, PushJudge>, log: Log): Promise<PushVerdict> {
  const asked = questionSchema.safeParse(JSON.parse(await readBody(request)));
  const judge = asked.success ? judges.get(asked.data.token) : undefined;
  if (!asked.success || judge === undefined) {
    return { allowed: false, reason: 'This push is not known to the panel.', hint: 'Push again.' };
  }
  judges.delete(asked.data.token);
  try {
    return await judge({ updates: asked.data.updates, options: asked.data.options });
  } catch (error) {
    if (error instanceof AppError) return { allowed: false, reason: error.message, hint: error.hint };
    log.error('judging a push failed', { error: String(error) });
    const { sentence } = describeError('internal');
    return { allowed: false, reason: sentence, hint: 'Push again; if it stays so, tell a lab manager.' };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > largestQuestionBytes) throw new AppError('payload_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, verdict: PushVerdict): void {
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(verdict));
}

/** Settings for one run of git; they win over the repository's own file. */
export const gitSettings = (hooksDir: string, { directory, maxPushMib }: GitRepository): string[] =>
  Object.entries({
    'safe.directory': directory,
    'core.hooksPath': hooksDir,
    'core.alternateRefsCommand': 'true', // names no refs of other repositories
    'core.bigFileThreshold': '32m', // larger files are streamed instead of held in memory
    'pack.threads': '1',
    'gc.auto': '0',
    'transfer.hideRefs': 'refs/arboretum',
    'receive.fsckObjects': 'true',
    'receive.fsck.zeroPaddedFilemode': 'ignore', // harmless, and part of many an old history
    'receive.maxInputSize': String(maxPushMib * 1024 * 1024),
    'receive.denyDeletes': 'true',
    'receive.denyNonFastForwards': 'false', // people amend; the old commit stays in its deployment
    'receive.denyCurrentBranch': 'ignore',
    'receive.advertisePushOptions': 'true',
    'receive.autogc': 'false',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** All that git inherits: nothing of the client's, nothing of ours. */
export const gitEnvironment = (gitBinary: string): Record<string, string> => ({
  PATH: `${path.isAbsolute(gitBinary) ? `${path.dirname(gitBinary)}:` : ''}/usr/local/bin:/usr/bin:/bin`,
  LANG: 'C.UTF-8',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
});
