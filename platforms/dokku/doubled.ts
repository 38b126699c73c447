// Containers that Dokku left running beside the right one, which none of its reports shows: they are seen by their connections to the database.

import type { DokkuContainer } from '../dokku-reports.ts';
import { liveService } from './databases.ts';
import type { Host } from './host.ts';
import { OnceAMinute } from './once-a-minute.ts';
import { sql } from './sql.ts';

/** Long enough for the container of before to end, which Dokku does on purpose. */
const SETTLED_MS = 120_000;
/** The launcher names each server's connections after its container (launcher/container.py). */
const SERVERS =
  "SELECT DISTINCT substr(application_name, 11) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^arboretum-[0-9a-f]{12}$'";

export class DoubledContainers {
  readonly #host: Host;
  readonly #answers = new OnceAMinute<string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** A sentence when other servers than the one that Dokku knows work on the instance's data; null when not, or when it cannot be told. */
  async look(instanceId: string, known: DokkuContainer): Promise<string | null> {
    if (known.startedAt === null || Date.now() - known.startedAt.getTime() < SETTLED_MS) return null;
    return await this.#answers.get({ instanceId, containerId: known.id }, async () => await this.#ask(instanceId, known.id));
  }

  async #ask(instanceId: string, known: string): Promise<string | null> {
    const servers = await sql(this.#host, { service: await liveService(this.#host, instanceId), text: `${SERVERS};` });
    const others = servers.filter((id) => !known.startsWith(id));
    if (others.length === 0) return null;
    return `A second container of it still runs on the Dokku host (${others.join(', ')}), which its reports do not show. Dokku clears it away within five minutes; if it stays, as root on the host: dokku ps:retire`;
  }
}
