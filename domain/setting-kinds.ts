// What a setting can be: numbers, ranges, networks, images, secrets; and how a row of the table is written.

import net from 'node:net';
import { z } from 'zod';
import { Secret } from '../platforms/secret.ts';

/** A TCP port. */
export const port = z.coerce.number().int().min(1).max(65_535);
/** A whole number from 1 on. */
export const count = z.coerce.number().int().min(1);
/** Never printed. */
export const secret = z.string().transform((value) => new Secret(value));
/** The URL of a server with its password; never printed. @param protocol without the colon @param example said when it is none */
export const secretUrl = (protocol: RegExp, example: string) => z.url({ protocol, error: example }).transform((value) => new Secret(value));
/** Two ports with a hyphen, as a pair. */
export const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'two ports with a hyphen, for example 10001-10999')
  .transform((text) => text.split('-').map(Number) as [number, number])
  .refine(([first, last]) => first >= 1 && first <= last && last <= 65_535, 'the first port must not be above the last, both 1–65535');

/** Two user ids with a hyphen, as a pair; never those of the system. */
export const idRange = z
  .string()
  .regex(/^\d{4,9}-\d{4,9}$/, 'two ids with a hyphen, for example 200000-209999')
  .transform((text) => text.split('-').map(Number) as [number, number])
  .refine(([first, last]) => first > 1000 && first <= last, 'the first id must be above 1000 and not above the last');

/** An address, or a network in CIDR form. */
const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[net.isIP(address)] ?? -1;
  return rest.length === 0 && most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
};
/** Addresses and networks with commas or blanks. */
export const networks = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .refine((list) => list.every(isNetwork), 'addresses or networks with commas, for example 192.0.2.10,2001:db8::/64');

const isImage = (name: string): boolean => /^[a-zA-Z0-9][\w.:/@-]*$/.test(name);
/** Name of one image. */
export const image = z.string().refine(isImage, 'the name of an image, for example postgres:16');
/** Names of images with commas; at least one. */
export const imageList = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .refine((list) => list.length > 0 && list.every(isImage), 'names of images with commas, for example python:3.12-slim-bookworm')
  .transform((list) => list as [string, ...string[]]);

type Setting = { readonly schema: z.ZodType; readonly unit: string; readonly fallback: string; readonly meaning: string };
/** A row of the table: what it takes, and in words its unit, what holds when it is unset, and what it means. */
// It reads best with its four columns in a line.
// oxlint-disable-next-line max-params
export const setting = <S extends z.ZodType>(schema: S, unit: string, fallback: string, meaning: string) =>
  ({ schema, unit, fallback, meaning }) satisfies Setting;
