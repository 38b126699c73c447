// Takes over an experiment that runs on the platform without the panel: its data, settings and code; it is left there, stopped.

import { adoptionInput, adoptionOf, demandAdoptable, judgeForeign, takeOverSettings } from '../../domain/adoptions.ts';
import { backupReasons, rowsOf, takeVerifiedBackup } from '../../domain/backups.ts';
import { deployHead } from '../../domain/deployments.ts';
import { setState } from '../../domain/instance-state.ts';
import { createRepository, fetchBranches } from '../../domain/repositories.ts';
import { refreshRoute } from '../../domain/routes.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import type { Adoption, ForeignDetail } from '../../platforms/adoption.ts';
import type { Backup } from '../../prisma/client/client.ts';
import type { JobRun } from '../job-run.ts';

export async function adopt(run: JobRun): Promise<void> {
  const { ctx, instance, signal, step } = run;
  try {
    const { app, reason } = adoptionInput.parse(run.job.input);
    const adoption = adoptionOf(ctx, app);
    const found = await step('read', `Look at the app ${app}`, () => adoption.look(app));
    await step('check', 'Check that it can be taken over', async () => {
      const outlook = judgeForeign(found);
      demandAdoptable(app, outlook, reason);
      run.write(`       oTree ${outlook.otreeVersion}; ${found.isRunning ? 'it runs' : 'it is stopped'}\n`);
    });
    await step('platform', 'Database, apps and repository of the instance', async () => {
      await ctx.platform.create(specOf(ctx, instance), signal);
      await createRepository(ctx.config.layout, instance.id);
    });
    await step('code', 'Fetch its code', () => fetchCode(run, adoption, app));
    await takeData(run, adoption, found);
    await step('address', 'Address', () => refreshRoute(ctx, instance.id, signal));
    await setState(ctx, instance.id, { state: 'waiting' });
  } catch (error) {
    await setState(ctx, instance.id, { state: 'failed', detail: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  await deployCode(run);
}

/** Without code the instance waits for a push. */
async function fetchCode({ ctx, instance, signal, write }: JobRun, adoption: Adoption, app: string): Promise<void> {
  const branches = await adoption.withCode(app, (source) => fetchBranches(ctx.config.layout, { instanceId: instance.id, ...source, signal }), signal);
  if (branches.length > 0) return write(`       ${branches.join(', ')}\n`);
  write(' !     Its repository on the host has nothing that could be fetched: push the project to this instance.\n');
}

/** Stopped first, so that no row is written after the dump; started again when its data do not arrive. */
async function takeData(run: JobRun, adoption: Adoption, found: ForeignDetail): Promise<void> {
  const { ctx, instance, signal, step, write } = run;
  await step('stop', `Stop the app ${found.name}`, () => adoption.stop(found.name, signal));
  try {
    const backup = await step('backup', 'Back up its data and check that they can be restored', () => backUp(run, adoption, found.name));
    await step('restore', 'Restore them into the instance, and count', () =>
      ctx.platform.restoreDatabase(specOf(ctx, instance), { file: backup.file, rowCounts: backup.rowCounts as Record<string, number> }, signal),
    );
    await step('settings', 'Take over password, key and variables', async () => {
      const leftOut = await takeOverSettings(ctx, { id: run.job.actorId, name: run.job.actorName }, { instance, found });
      await ctx.platform.configure(specOf(ctx, await loadStartable(ctx, instance.id)));
      if (leftOut.length > 0) write(`       left out, since the panel or the host sets them: ${leftOut.join(', ')}\n`);
    });
  } catch (error) {
    // Nothing of it was changed: it can go on as before.
    if (found.isRunning) await adoption.start(found.name, AbortSignal.timeout(600_000)).catch((failed: unknown) => write(` !     ${String(failed)}\n`));
    throw error;
  }
  write(`       The app ${found.name} is stopped and kept, with its data and its addresses: ${found.hostNames.join(', ') || 'none'}.\n`);
  write('       What differs: the instance has another address, and links of rooms with secure URLs have other hashes.\n');
}

async function backUp({ ctx, job, instance, signal, write }: JobRun, adoption: Adoption, app: string): Promise<Backup> {
  const backup = await takeVerifiedBackup(ctx, {
    instance,
    jobId: job.id,
    reason: backupReasons.takenOver,
    note: `Data of the app ${app}`,
    byName: job.actorName,
    signal,
    dump: (file) => adoption.dump(app, file, signal),
  });
  write(`       ${rowsOf(backup)} rows, SHA-256 ${backup.sha256}, restored once with equal counts\n`);
  return backup;
}

/** The deployment is a job of its own, which people see and can repeat. */
async function deployCode({ ctx, job, instance, write }: JobRun): Promise<void> {
  const deployment = await deployHead(ctx, { id: job.actorId, name: job.actorName }, { instance });
  if (deployment !== null) write('       Its code is deployed next, as if it had been pushed.\n');
}
