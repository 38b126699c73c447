// Sees to it that every oTree has the rooms of its row: at once when asked, and by looking after rows every few seconds.

import type { Platform } from '../platforms/platform.ts';
import type { WorkerContext } from './context.ts';
import { labelsOf } from './rooms.ts';
import { specOf } from './specs.ts';

export type RoomsKeeper = {
  /** Hands over the rooms of one instance now; one that is not made yet gets them later, by `round`. */
  apply(ctx: WorkerContext, instanceId: string): Promise<void>;
  /** Hands over where something changed since the last time; after a start of the worker, everywhere. */
  round(ctx: WorkerContext): Promise<void>;
};

type Row = { readonly id: string; readonly fingerprint: string };

/** What was handed over is remembered in memory only: handing over twice is harmless. */
export function makeRoomsKeeper(): RoomsKeeper {
  const handedOver = new Map<string, string>();
  const handOver = async (ctx: WorkerContext, { id, fingerprint }: Row): Promise<void> => {
    await handOverRooms(ctx, id, ctx.platform);
    handedOver.set(id, fingerprint);
  };
  return {
    apply: async (ctx, instanceId) => {
      for (const row of await readFingerprints(ctx, instanceId)) await handOver(ctx, row);
    },
    round: async (ctx) => {
      for (const row of await readFingerprints(ctx, null)) {
        if (handedOver.get(row.id) === row.fingerprint) continue;
        await handOver(ctx, row).catch((error: unknown) => ctx.log.warn('rooms could not be handed over', { instanceId: row.id, error: String(error) }));
      }
    },
  };
}

/** Gives a platform the rooms of an instance's row. */
export async function handOverRooms(
  ctx: Pick<WorkerContext, 'db' | 'sealer' | 'config'>,
  instanceId: string,
  platform: Pick<Platform, 'setRooms'>,
): Promise<void> {
  const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId }, include: { panelRooms: { orderBy: { name: 'asc' } } } });
  const rooms = instance.panelRooms.map((room) => ({
    name: room.name,
    displayName: room.displayName,
    labels: labelsOf(room),
    usesSecureUrls: room.usesSecureUrls,
  }));
  await platform.setRooms(specOf(ctx, instance), rooms);
}

const readFingerprints = (ctx: WorkerContext, only: string | null): Promise<Row[]> =>
  ctx.db.$queryRaw<Row[]>`
    SELECT instance.id, COALESCE(string_agg(panel_room.name || ' ' || panel_room.updated_at::text, ',' ORDER BY panel_room.name), '') AS fingerprint
    FROM instance LEFT JOIN panel_room ON panel_room.instance_id = instance.id
    WHERE instance.deleted_at IS NULL AND instance.state NOT IN ('creating', 'failed', 'deleting', 'deleted') AND (${only}::text IS NULL OR instance.id = ${only})
    GROUP BY instance.id`;
