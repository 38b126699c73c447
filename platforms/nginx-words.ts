// The words of an nginx configuration: values that are surely only values, blocks, quoted paths. Pure.

import { AppError } from '../contracts/errors.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const host = `${label}(?:\\.${label})*`;
const patterns = {
  'instance id': /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  'host name': new RegExp(`^(?=.{1,253}$)${host}$`),
  'path prefix': /^(?=.{2,200}$)(?:\/[a-z0-9][a-z0-9-]*)+$/,
  address: new RegExp(`^(?=.{8,500}$)https?://(?:${host}|\\[[0-9a-f:]+\\])(?::[1-9]\\d{0,4})?(?:/[a-z0-9][a-z0-9-]*)*$`),
  'cookie name': /^(?!arboretum$)[A-Za-z][A-Za-z0-9_-]{0,63}$/,
  socket: /^(?=.{2,107}$)\/[A-Za-z0-9_./-]+$/,
  // Quoted where it is used; what is special inside quotes or to `include` is refused.
  path: /^\/[^\p{Cc}"'\\$;{}#*?[\]]+$/u,
  network: /^[0-9A-Fa-f.:]{2,45}(?:\/\d{1,3})?$/,
  user: /^[a-z_][a-z0-9_-]{0,31}$/,
  generation: /^[a-z0-9-]{1,80}$/,
} as const;

/** The value as it is. @throws platform_failed when it could mean something to nginx */
export function checked(what: keyof typeof patterns, value: string): string {
  if (typeof value === 'string' && patterns[what].test(value)) return value;
  throw new AppError('platform_failed', { reason: `the front door cannot use this ${what}: ${JSON.stringify(value).slice(0, 80)}.` });
}

/** The number as it is. @throws platform_failed unless it is whole and from 1 to `max` */
export function checkedNumber(what: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new AppError('platform_failed', { reason: `the front door cannot use this ${what}: ${String(value).slice(0, 40)}.` });
}

export const checkedPort = (port: number): number => checkedNumber('port', port, 65_535);

/** A path in quotes; `glob` is added as it is. @throws platform_failed when it cannot be written safely */
export const quoted = (file: string, glob = ''): string => `"${checked('path', file)}${glob}"`;

/** `head { lines }`, indented. */
export const block = (head: string, lines: readonly string[]): string =>
  `${head} {\n${lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `  ${line}`)
    .join('\n')}\n}`;
