// Ids and random secrets.

import { createHash, randomBytes, randomInt } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
const readable = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const pick = (from: string, length: number): string => Array.from({ length }, () => from[randomInt(from.length)]).join('');

/** A new id: 12 characters `[a-z0-9]`, a letter first, so that it can name a database, a folder and a service. */
export const newId = (): string => pick(alphabet.slice(0, 26), 1) + pick(alphabet, 11);

/** A password that a person can read out: 20 characters without look-alikes, 115 bits. */
export const newPassword = (): string => pick(readable, 20);

/** 256 random bits, URL-safe. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256 as hex; for tokens that are looked up but must not be readable in the database. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');
