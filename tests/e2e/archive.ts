// A project as people without a command line pack it, and how they drop it on the page.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';

const sample = path.join(import.meta.dirname, '..', '..', 'samples', 'trust-game');

/** Packs the sample, with files changed or added, into `HOME/MARK.zip` with the folder around it. @returns the archive's path */
export function packSample(home: string, mark: string, files: Readonly<Record<string, string>> = {}): string {
  const around = path.join(home, mark);
  rmSync(around, { recursive: true, force: true });
  mkdirSync(around, { recursive: true });
  const folder = path.join(around, 'trust-game');
  cpSync(sample, folder, { recursive: true, filter: (file) => !file.includes('__pycache__') });
  for (const [name, text] of Object.entries({ 'note.txt': mark, ...files })) writeFileSync(path.join(folder, name), text);
  execFileSync('python3', ['-c', 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[1])', around]);
  return `${around}.zip`;
}

/** Packs a project of `tests/projects` into `HOME/NAME.zip`. @returns the archive's path */
export function packProject(home: string, name: string): string {
  const [folder, archive] = [path.join(import.meta.dirname, '..', 'projects', name), path.join(home, name)];
  execFileSync('python3', ['-c', 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])', archive, folder]);
  return `${archive}.zip`;
}

/** A file of the sample, to be changed. */
export const readSample = (name: string): string => readFileSync(path.join(sample, name), 'utf8');

/** Drops a file on the page's drop zone, as a mouse does. */
export async function dropFile(page: Page, file: string): Promise<void> {
  const dropped = { name: path.basename(file), base64: readFileSync(file).toString('base64') };
  const dataTransfer = await page.evaluateHandle(({ name, base64 }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0) ?? 0)], name));
    return transfer;
  }, dropped);
  await page.locator('.drop-zone').dispatchEvent('drop', { dataTransfer });
}
