// Containers that Dokku left running beside the right one, which none of its reports shows: they are seen by their connections to the database.

import type { DokkuContainer } from '../dokku-reports.ts';
import { liveService } from './databases.ts';
import type { Host } from './host.ts';
import { sql } from './sql.ts';

/** How often it is looked; each look is a question to the database. */
const EVERY_MS = 60_000;
/** Long enough for the container of before to end, which Dokku does on purpose. */
const SETTLED_MS = 120_000;
/** The launcher names each server's connections after its container (launcher/container.py). */
const SERVERS =
  "SELECT DISTINCT substr(application_name, 11) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^arboretum-[0-9a-f]{12}$'";

/** Looks at each instance once a minute, and remembers what it saw in between. */
export class DoubledContainers {
  readonly #host: Host;
  readonly #seen = new Map<string, { readonly at: number; readonly sentence: string | null }>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** A sentence when other servers than the one that Dokku knows work on the instance's data; null when not, or when it cannot be told. */
  async look(instanceId: string, known: DokkuContainer): Promise<string | null> {
    const seen = this.#seen.get(instanceId);
    if (seen !== undefined && Date.now() - seen.at < EVERY_MS) return seen.sentence;
    if (known.startedAt === null || Date.now() - known.startedAt.getTime() < SETTLED_MS) return null;
    const sentence = await this.#ask(instanceId, known.id).catch(() => null);
    this.#seen.set(instanceId, { at: Date.now(), sentence });
    return sentence;
  }

  async #ask(instanceId: string, known: string): Promise<string | null> {
    const servers = await sql(this.#host, { service: await liveService(this.#host, instanceId), text: `${SERVERS};` });
    const others = servers.filter((id) => !known.startsWith(id));
    if (others.length === 0) return null;
    return `A second container of it still runs on the Dokku host (${others.join(', ')}), which its reports do not show. Dokku clears it away within five minutes; if it stays, as root on the host: dokku ps:retire`;
  }
}
