// Code without a command line: an archive becomes a commit on the deploy branch, and the same job as a push.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../contracts/errors.ts';
import type { Layout } from '../platforms/layout.ts';
import type { Instance, Job } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import { refuseArchive, Unpacking, type Unpacked } from './archive-entries.ts';
import { readTar } from './archive-tar.ts';
import { readZip } from './archive-zip.ts';
import type { Context } from './context.ts';
import { deployHead } from './deployments.ts';
import { refusalByState } from './git-access.ts';
import { guard } from './guard.ts';
import { commitFolder, findDeployHead } from './repositories.ts';

type Upload = { readonly instance: Instance; readonly filename: string; readonly reason: string | undefined; readonly content: Readable };
type Uploaded = { readonly job: Job | null; readonly leftOut: readonly string[] };

const scratchPrefix = '.upload-';
/** Instances that an archive is being taken for in this process. */
const busy = new Set<string>();

/**
 * Takes an archive (.zip, .otreezip, .tar.gz) as a person's next commit. Nothing of it stays but the commit.
 * @returns the job; null when the same files are deployed already
 * @throws push_refused, people_in_session, project_too_large, disk_full, upload_refused with a sentence
 */
export async function receiveUpload(ctx: Context, person: Person, upload: Upload): Promise<Uploaded> {
  const { instance } = upload;
  const refusal = refusalByState(instance);
  if (refusal) throw new AppError('push_refused', refusal);
  guard(instance, upload.reason);
  if (busy.has(instance.id)) throw refuseArchive('Another archive is being uploaded to this instance.', 'Wait until it has arrived.');
  busy.add(instance.id);
  const scratch = await mkdtemp(path.join(ctx.config.layout.repositoriesDir, scratchPrefix));
  try {
    const archive = path.join(scratch, 'archive');
    await store(upload.content, archive, ctx.config.UPLOAD_MAX_MIB);
    const { root, leftOut } = await unpack(archive, path.join(scratch, 'files'), upload.filename);
    const branch = await commit(ctx, person, { upload, root });
    // The branch that was committed to, also when nobody has set one.
    const request = { instance: { ...instance, deployBranch: instance.deployBranch ?? branch }, by: 'upload' as const };
    return { job: await deployHead(ctx, person, { ...request, ...(upload.reason ? { reason: upload.reason } : {}) }), leftOut };
  } catch (error) {
    throw isDiskFull(error) ? new AppError('disk_full', { freeMib: 0 }, { cause: error }) : error;
  } finally {
    busy.delete(instance.id);
    await rm(scratch, { recursive: true, force: true });
  }
}

const isDiskFull = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOSPC';

/** Removes what a server that was killed in the middle of an upload left. */
export async function clearUploads(layout: Layout): Promise<void> {
  const names = await readdir(layout.repositoriesDir).catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith(scratchPrefix)))
    await rm(path.join(layout.repositoriesDir, name), { recursive: true, force: true });
}

async function store(content: Readable, file: string, limitMib: number): Promise<void> {
  let sizeBytes = 0;
  const isTooLarge = (): boolean => sizeBytes > limitMib * 1024 * 1024;
  // What is too much is read to its end and dropped: a connection that is cut off would lose the answer.
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (isTooLarge()) done();
      else done(null, chunk);
    },
  });
  await pipeline(content, limit, createWriteStream(file, { flags: 'wx', mode: 0o600 })).catch((error: unknown) => {
    if (isDiskFull(error)) throw error;
    throw refuseArchive('The archive did not arrive completely.', 'Check your connection, then upload it again.');
  });
  if (isTooLarge()) throw new AppError('project_too_large', { limitMib });
}

/** What it is, its first bytes say; the name is only for people. */
async function unpack(archive: string, folder: string, filename: string): Promise<Unpacked> {
  const { size } = await stat(archive);
  await mkdir(folder, { mode: 0o755 });
  const unpacking = new Unpacking(folder, size);
  const head = await firstBytes(archive);
  if (head.startsWith('504b')) await readZip(archive, unpacking);
  else if (head.startsWith('1f8b')) await readTar(archive, unpacking);
  else {
    const what = size === 0 ? 'The file that arrived is empty.' : `“${cleanFilename(filename)}” is neither a .zip nor a .otreezip nor a .tar.gz.`;
    throw refuseArchive(what, 'Pack the folder that holds settings.py, for example with “otree zip”.');
  }
  return unpacking.finish();
}

async function firstBytes(file: string): Promise<string> {
  for await (const bytes of createReadStream(file, { start: 0, end: 1 })) return (bytes as Buffer).toString('hex');
  return '';
}

/** Commits the folder on top of the deploy branch; the same files as there make no commit. @returns the branch */
async function commit(ctx: Context, person: Person, { upload, root }: { upload: Upload; root: string }): Promise<string> {
  const { instance } = upload;
  const head = await findDeployHead(ctx.config.layout, instance);
  const branch = head?.branch ?? instance.deployBranch ?? 'main';
  const source = { folder: root, message: `Upload of ${cleanFilename(upload.filename)}`, branch, parent: head?.commit ?? null, author: person };
  await commitFolder(ctx.config.layout, instance.id, source);
  return branch;
}

/** A name for a sentence and a commit message: one line, no control characters. */
const cleanFilename = (name: string): string => (name.split(/[/\\]/).at(-1) ?? '').replaceAll(/[^\p{L}\p{N} ._()+-]/gu, '_').slice(0, 100) || 'an archive';
