// The panel's key: made at the first start, and refused when it is lost or another one.

import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readKey } from '../domain/sealing.ts';
import type { Layout } from '../platforms/layout.ts';
import type { Secret } from '../platforms/secret.ts';
import { messageOf, StartProblem } from './problem.ts';
import type { Account } from './run.ts';

/**
 * The 32 bytes that seal secrets, from ARBORETUM_SECRET_KEY or DATA_DIR/secret.key; made when nothing is there yet.
 * @throws StartProblem when the key is missing although there are data, or is not the one the data were sealed with
 */
export function ensureSecretKey(layout: Layout, given: Secret | undefined, owner: Account | null): Buffer {
  const hint = `Put the old key back into ${layout.secretKeyFile} (or ARBORETUM_SECRET_KEY). Without it the stored passwords cannot be read again.`;
  if (given === undefined && !existsSync(layout.secretKeyFile)) {
    if (existsSync(markFile(layout)) || existsSync(path.join(layout.postgresDir, 'PG_VERSION')))
      throw new StartProblem(`The panel’s key is missing: ${layout.secretKeyFile}.`, hint, 78);
    writeFileSync(layout.secretKeyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    if (owner !== null) chownSync(layout.secretKeyFile, owner.uid, owner.gid);
  }
  const key = read(given?.open() ?? readFileSync(layout.secretKeyFile, 'utf8'), hint);
  checkMark(layout, key, hint);
  return key;
}

/** Beside the key, a fingerprint of it: tells a different key from the right one before anything is done with it. */
const markFile = (layout: Layout): string => path.join(layout.dataDir, 'secret.key.mark');

function checkMark(layout: Layout, key: Buffer, hint: string): void {
  const mark = `${createHash('sha256').update('arboretum key mark').update(key).digest('hex').slice(0, 16)}\n`;
  const file = markFile(layout);
  if (!existsSync(file)) writeFileSync(file, mark, { mode: 0o644 });
  else if (readFileSync(file, 'utf8') !== mark) throw new StartProblem('The panel’s key is not the one that its data were sealed with.', hint, 78);
}

function read(text: string, hint: string): Buffer {
  try {
    return readKey(text);
  } catch (error) {
    throw new StartProblem(messageOf(error), hint, 78);
  }
}
