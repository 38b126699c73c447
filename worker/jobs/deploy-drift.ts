// Between trial and switch: do the new version's models fit the tables? If not, what the person chose, and never a wipe without a verified backup.

import { AppError, type ErrorCode } from '../../contracts/errors.ts';
import type { DriftChoice } from '../../contracts/jobs.ts';
import { backupReasons, type BackupReason } from '../../domain/backups.ts';
import { updateDeployment } from '../../domain/deployments.ts';
import { describeGaps } from '../../domain/schema-drift.ts';
import { specOf } from '../../domain/specs.ts';
import type { SchemaGap } from '../../platforms/release.ts';
import type { Deployment } from '../../prisma/client/client.ts';
import { backupStep } from '../backup-step.ts';
import { forgetOldData } from '../forget-old-data.ts';
import type { JobRun } from '../job-run.ts';

/** How a deployment and a roll back tell the same story. */
const words = {
  deploy: { refusal: 'schema_drift', version: 'the new version', before: 'the old one', done: 'deployed', backup: backupReasons.beforeDeploy },
  'roll-back': {
    refusal: 'roll_back_drift',
    version: 'the version to bring back',
    before: 'the one in use',
    done: 'brought back',
    backup: backupReasons.beforeRollBack,
  },
} as const satisfies Record<string, { refusal: ErrorCode; version: string; before: string; done: string; backup: BackupReason }>;
type Words = (typeof words)[keyof typeof words];

/**
 * What the switch has to do about the database once the old version is stopped: nothing, empty it as somebody chose,
 * or empty it only if there is still nothing in it.
 */
export type DriftPlan = {
  readonly reset: 'no' | 'chosen' | 'if-empty';
  readonly differences: string;
  readonly warnings: readonly string[];
  readonly words: Words;
};

/**
 * Decides what becomes of the database before anything is stopped.
 * A database without a single row is made anew without asking (after the same backup): nobody's data are in it.
 * @param choice what somebody chose for tables that do not fit
 * @throws schema_drift, roll_back_drift when the version in use has to be kept
 */
export async function planDrift(run: JobRun, { gaps, choice }: { gaps: readonly SchemaGap[]; choice: DriftChoice }): Promise<DriftPlan> {
  const { job, step, write } = run;
  const said = job.kind === 'roll-back' ? words['roll-back'] : words.deploy;
  if (gaps.length === 0) return { reset: 'no', differences: '', warnings: [], words: said };
  const differences = describeGaps(gaps, said.version);
  return step('compare', 'Compare the models with the database', async () => {
    write(`       ${differences}\n`);
    const rows = await countRows(run);
    if (rows === 0) {
      write('       The database has no rows: it is backed up and made anew.\n');
      return { reset: 'if-empty', differences, warnings: [], words: said };
    }
    if (choice === 'keep') throw new AppError(said.refusal, { differences, rows });
    if (choice === 'reset') write(`       Its ${rows} rows are backed up, then it is made anew, as was chosen.\n`);
    const warning = `${differences} It was ${said.done} knowingly: pages that need this answer “server error” until the database is reset.`;
    const isReset = choice === 'reset';
    return { reset: isReset ? 'chosen' : 'no', differences, warnings: isReset ? [] : [warning], words: said };
  });
}

/**
 * Empties the database for the selected release, on a stopped instance. No verified backup, no wipe: the order is the code.
 * `isDone` tells whoever goes back that the old version's tables are gone.
 * @throws schema_drift, roll_back_drift when nobody chose it and somebody came in since it was planned
 */
export function resetOnce(run: JobRun, plan: DriftPlan): { run: () => Promise<void>; isDone: () => boolean } {
  const { ctx, instance, step, write } = run;
  let isDone = false;
  return {
    isDone: () => isDone,
    async run() {
      if (plan.reset === 'no') return;
      const rows = plan.reset === 'if-empty' ? await countRows(run) : 0;
      if (rows > 0) throw new AppError(plan.words.refusal, { differences: plan.differences, rows });
      await backupStep(run, plan.words.backup);
      // oTree's resetdb is one transaction: when it fails, the old tables are still there.
      await step('reset', `Reset the database for ${plan.words.version}`, () =>
        ctx.platform.resetDatabase(specOf(ctx, instance), { signal: AbortSignal.timeout(90_000), onOutput: write }),
      );
      isDone = true;
      await forgetOldData(run);
    },
  };
}

async function countRows({ ctx, instance }: JobRun): Promise<number> {
  const { rowCounts } = await ctx.platform.databaseFacts(specOf(ctx, instance));
  return Object.values(rowCounts).reduce((sum, count) => sum + count, 0);
}

/** Prints what is worth a look and keeps it with the deployment, behind what was kept before. */
export async function tellWarnings(
  { ctx, write }: JobRun,
  deployment: Deployment,
  { before, now }: Record<'before' | 'now', readonly string[]>,
): Promise<void> {
  if (now.length === 0) return;
  for (const sentence of now) write(` !     ${sentence}\n`);
  await updateDeployment(ctx, deployment, { warnings: [...before, ...now] });
}

/** After a reset the version before needs its own tables again; they are empty, and the backup is there. */
export async function remakeOldTables({ ctx, instance, write }: JobRun, { words: { version, before, backup } }: DriftPlan): Promise<void> {
  write(`       The database was emptied for ${version}, and is empty for ${before}. What was in it is in the backup “${backup}”.\n`);
  // Neither a step nor the job's signal: both end with a job that is cancelled, and the old version must run all the same.
  await ctx.platform.resetDatabase(specOf(ctx, instance), { signal: AbortSignal.timeout(90_000), onOutput: write });
}
