// What an exported file is called: whose data, which, when, of which version, and what is not in it.

import type { ExportKind } from '../contracts/exports.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { Context } from './context.ts';

type Exported = {
  readonly what: ExportKind;
  readonly app?: string | undefined;
  readonly function?: string | undefined;
  readonly session?: string | undefined;
  readonly leftOut: readonly string[];
};
const words: Readonly<Record<ExportKind, string>> = {
  wide: 'all-apps',
  app: 'app',
  custom: 'custom',
  'page-times': 'page-times',
  seconds: 'seconds',
  chat: 'chat',
};

/** For example `trust-game-all-apps-2026-11-21-3f2c9ab.csv`. */
export async function exportFileName(ctx: Pick<Context, 'db'>, instance: Pick<Instance, 'name' | 'currentDeploymentId'>, file: Exported): Promise<string> {
  const { what, app, session, leftOut } = file;
  const current = instance.currentDeploymentId
    ? await ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId }, select: { commit: true } })
    : null;
  const parts = [
    instance.name,
    ...(what === 'custom' ? [app, file.function].filter((word) => word !== undefined) : [what === 'app' && app !== undefined ? app : words[what]]),
    ...(session === undefined ? [] : [session]),
    new Date().toISOString().slice(0, 10),
    ...(current ? [current.commit.slice(0, 7)] : []),
    ...(leftOut.length === 0 ? [] : ['without', ...leftOut.slice(0, 5), ...(leftOut.length > 5 ? [`and-${leftOut.length - 5}-more`] : [])]),
  ];
  return `${parts.join('-')}.csv`;
}
