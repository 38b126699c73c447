// The folder of certificates that the institution has: its pairs, each with what it holds or why it cannot be used.

import { readdir, readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CertificateProblem, readPair, type ReadPair } from './certificate-reading.ts';

/** One pair of the folder; `problem`: a sentence, and then there is nothing to show. */
export type CertificateFile = { readonly file: string } & (
  | { readonly pair: ReadPair; readonly problem: null }
  | { readonly pair: null; readonly problem: string }
);

const largestBytes = 1024 * 1024;
const chainEnding = /\.(pem|crt)$/i;

/**
 * Everything in the folder that looks like a certificate, in the order of its names. What is broken is told and never in the
 * way of the rest; a folder that is not there is an empty one.
 */
export async function readCertificateFiles(folder: string): Promise<CertificateFile[]> {
  let entries: string[];
  try {
    entries = (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return [{ file: '.', pair: null, problem: `The folder ${folder} cannot be read: ${reasonOf(error)}` }];
  }
  const found = await Promise.all(entries.map((name) => readEntry(folder, name, entries)));
  return found.flat();
}

async function readEntry(folder: string, name: string, entries: readonly string[]): Promise<CertificateFile[]> {
  const at = path.join(folder, name);
  const facts = await stat(at).catch(() => null);
  if (facts?.isDirectory()) return readFolder(at, name);
  if (/\.(p12|pfx)$/i.test(name))
    return [
      broken(name, 'This is a PKCS#12 file. Take it apart: openssl pkcs12 -in FILE -nodes -out NAME.pem, and its key: openssl pkey -in NAME.pem -out NAME.key'),
    ];
  if (chainEnding.test(name)) {
    const key = `${name.replace(chainEnding, '')}.key`;
    // Some authorities send certificate and key in one file.
    return [await readFiles(name, at, entries.includes(key) ? path.join(folder, key) : at)];
  }
  if (/\.key$/i.test(name) && !entries.some((other) => chainEnding.test(other) && other.replace(chainEnding, '') === name.replace(/\.key$/i, '')))
    return [broken(name, `This key has no certificate beside it: put ${name.replace(/\.key$/i, '.pem')} there.`)];
  return [];
}

/** As certbot leaves them: `fullchain.pem` and `privkey.pem`. A folder with neither is somebody else's. */
async function readFolder(folder: string, name: string): Promise<CertificateFile[]> {
  const entries = await readdir(folder).catch((): string[] => []);
  const [hasChain, hasKey] = [entries.includes('fullchain.pem'), entries.includes('privkey.pem')];
  if (!hasChain && !hasKey) return [];
  if (!hasChain || !hasKey)
    return [broken(`${name}/`, `${hasChain ? 'privkey.pem' : 'fullchain.pem'} is missing beside ${hasChain ? 'fullchain.pem' : 'privkey.pem'}.`)];
  return [await readFiles(`${name}/fullchain.pem`, path.join(folder, 'fullchain.pem'), path.join(folder, 'privkey.pem'))];
}

const broken = (file: string, problem: string): CertificateFile => ({ file, pair: null, problem });

async function readFiles(file: string, chainFile: string, keyFile: string): Promise<CertificateFile> {
  try {
    const [chain, key] = [await readText(chainFile), keyFile === chainFile ? null : await readText(keyFile)];
    if (key === null && !chain.includes('PRIVATE KEY-----'))
      return broken(
        file,
        `It has no key: put ${file.replace(chainEnding, '.key')} beside it. (A file with certificates of authorities only belongs behind the host’s own, in the same file.)`,
      );
    const pair = readPair(chain, key ?? chain);
    const now = new Date();
    if (pair.expiresAt <= now) return broken(file, `It has ended, on ${dayOf(pair.expiresAt)}.`);
    if (pair.startsAt > now) return broken(file, `It is good from ${dayOf(pair.startsAt)} on only, by this machine’s clock.`);
    return { file, pair, problem: null };
  } catch (error) {
    return broken(file, error instanceof CertificateProblem ? error.message : `It cannot be read: ${reasonOf(error)}`);
  }
}

async function readText(file: string): Promise<string> {
  if ((await stat(file)).size > largestBytes) throw new CertificateProblem('It is larger than 1 MiB, so it is no certificate.');
  return readFile(file, 'utf8');
}

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

function reasonOf(error: unknown): string {
  const { code, path: place } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return `${place ?? 'it'} must be readable for the user “${os.userInfo().username}”.`;
  if (code === 'ENOENT') return `${place ?? 'it'} leads nowhere.`;
  return `${code ?? String(error)}.`;
}
