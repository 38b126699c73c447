// The version in use built once more on another platform, with the versions of packages that it has, and tried there in private.

import { AppError } from '../../contracts/errors.ts';
import { findLock } from '../../domain/deployments.ts';
import { archiveOpener } from '../../domain/repositories.ts';
import { describeGaps } from '../../domain/schema-drift.ts';
import { specOf } from '../../domain/specs.ts';
import type { BuiltRelease } from '../../platforms/release.ts';
import type { Deployment } from '../../prisma/client/client.ts';
import type { JobRun } from '../job-run.ts';
import type { Move } from './move.ts';

/** @throws the codes of builds; move_refused when it would need other tables than there are */
export async function buildThere(run: JobRun, { to, deployment }: Move & { readonly deployment: Deployment }): Promise<BuiltRelease> {
  const { ctx, instance, signal, step, write } = run;
  const spec = specOf(ctx, instance);
  const release = await step('build', `Build ${deployment.commit.slice(0, 7)} “${deployment.message.slice(0, 60)}” there`, async () => {
    const built = await to.build(spec, {
      releaseNumber: deployment.number,
      openArchive: await archiveOpener(ctx.config.layout, instance.id, deployment.commit),
      lockFor: (hash) => findLock(ctx, instance.id, hash),
      signal,
      onOutput: write,
    });
    tellDifferences(run, deployment, built);
    return built;
  });
  const { gaps } = await step('try', 'Try it there privately on an empty database', () => to.tryRelease(spec, deployment.number, { signal, onOutput: write }));
  if (gaps.length > 0)
    throw new AppError('move_refused', { reason: `built there it needs other tables than its data have: ${describeGaps(gaps, 'the version built there')}` });
  return release;
}

/** Another Python, or other packages: people should know. */
function tellDifferences({ write }: JobRun, deployment: Deployment, { project, isLockReused }: BuiltRelease): void {
  if (!isLockReused) write(`       Note: with Python ${project.pythonVersion} its packages were chosen anew.\n`);
  if (deployment.otreeVersion && deployment.otreeVersion !== project.otreeVersion)
    write(`       Note: oTree is ${project.otreeVersion} there, and was ${deployment.otreeVersion}.\n`);
}
