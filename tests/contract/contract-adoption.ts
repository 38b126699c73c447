// Apps of others on a Dokku host, as a panel sees them before it takes one over: the same for a real host and the replay host.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf } from '../../platforms/layout.ts';
import { createRepository, fetchBranches } from '../../domain/repositories.ts';
import { firstService, liveApp } from '../../platforms/dokku/host.ts';
import type { DokkuStand } from './dokku-stand.ts';
import { makeForeignApp, removeForeignApp } from './foreign-app.ts';
import { makeSpec, refusal } from './instances.ts';
import type { Patience } from './platform-contract.ts';
import { never, newDumpFile } from './stand.ts';

type Site = {
  readonly stand: DokkuStand;
  readonly baseImage: string;
  /** Gives the app a repository, where a deploy from an archive makes none. */
  readonly push?: (app: string) => void;
};

/** The suite; it makes one instance and one foreign app, and removes both. */
export function describeAdoption(name: string, makeSite: () => Promise<Site>, patience: Patience): void {
  describe(`an app of others on ${name}`, { timeout: patience.testMs }, () => {
    const source = makeSpec();
    // Begins as all apps of a run do, so that a run that is broken off loses it, too; no instance has such a name.
    const app = `${liveApp(source.instanceId)}-foreign`;
    let stand: DokkuStand;

    beforeAll(async () => {
      const site = await makeSite();
      stand = site.stand;
      await stand.platform.create(source, never);
      await stand.sql(source, 'CREATE TABLE answer (text varchar); INSERT INTO answer VALUES (repeat(chr(223), 9)), (NULL)');
      const variables = { OTREE_PRODUCTION: '1', OTREE_ADMIN_PASSWORD: 'it\'s "ours"' };
      await makeForeignApp(stand.connection, { app, otreeVersion: '5.10.4', variables, dataOf: firstService(source.instanceId), baseImage: site.baseImage });
      site.push?.(app);
    }, patience.testMs);

    afterAll(async () => {
      await removeForeignApp(stand.connection, app);
      await stand.platform.destroy(source, never);
      await stand.close();
    }, patience.endsMs);

    it('is in the list, and no instance is', async () => {
      const apps = await stand.platform.adoption.list();
      expect(apps.find((one) => one.name === app)).toMatchObject({ isRunning: true, isOtree: true, refusal: null });
      expect(apps.map((one) => one.name)).not.toContain(liveApp(source.instanceId));
    });

    it('tells its oTree, its variables as they are, and that nobody plays', async () => {
      const found = await stand.platform.adoption.look(app);
      expect(found).toMatchObject({ otreeVersion: '5.10.4', participants: [] });
      expect(found.environment['OTREE_ADMIN_PASSWORD']?.open()).toBe('it\'s "ours"');
    });

    it('gives its code to git, and no other app’s', async () => {
      const home = mkdtempSync(path.join(os.tmpdir(), 'adopt-'));
      const layout = { ...layoutOf(home, home), repositoriesDir: home, repositoryDir: (id: string) => path.join(home, `${id}.git`) };
      await createRepository(layout, 'one');
      const fetched = await stand.platform.adoption.withCode(app, (code) => fetchBranches(layout, { instanceId: 'one', ...code, signal: never }), never);
      expect(fetched).toEqual([expect.stringMatching(/^(?:main|master)$/)]);
      await rm(home, { recursive: true });
    });

    it('gives its data only when it is stopped, and goes on with them afterwards', async () => {
      const { adoption } = stand.platform;
      const file = await newDumpFile();
      expect((await refusal(adoption.dump(app, file, never))).details['reason']).toContain('must be stopped');
      await adoption.stop(app, never);
      expect(await adoption.dump(app, file, never)).toMatchObject({ rowCounts: { answer: 2 } });
      await stand.platform.restoreDatabase(source, { file, rowCounts: { answer: 2 } }, never);
      expect(await stand.sql(source, 'SELECT text FROM answer ORDER BY text')).toEqual([{ text: 'ß'.repeat(9) }, { text: null }]);
      await adoption.start(app, never);
      expect((await adoption.look(app)).isRunning).toBe(true);
    });
  });
}
