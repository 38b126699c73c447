// Passwords: hashed with argon2id, at most four at a time.

import { hash, verify } from '@node-rs/argon2';
import { newToken } from './ids.ts';

// OWASP Password Storage Cheat Sheet 2024: argon2id, 19 MiB, 2 passes (the library's default algorithm is argon2id).
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const maxHashesAtOnce = 4;
let hashing = 0;
const waiting: (() => void)[] = [];

/** At most four at a time: a flood of sign-ins must not take 19 MiB each. */
async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (hashing >= maxHashesAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else hashing += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else hashing -= 1;
  }
}

export const hashPassword = (password: string): Promise<string> => limited(() => hash(password, cost));
let decoy: Promise<string> | null = null;

/** Whether the password fits; without a stored hash (nobody, or not accepted yet) the same work is done and nothing fits. */
export async function fitsPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword(newToken());
  const known = stored ?? (await decoy);
  return (await limited(() => verify(known, password))) && stored !== null && stored !== undefined;
}
