// What a real Dokku 0.38.27 printed, by the names of the records, and how its words are used again for other apps.

import { type Recording, readRecordings } from './recordings.ts';

let recordings: ReadonlyMap<string, Recording> | null = null;

/** The record of this name. @throws Error when there is none: an output may not be invented */
export function recorded(name: string): Recording {
  recordings ??= new Map(readRecordings().map((recording) => [recording.name, recording]));
  const found = recordings.get(name);
  if (found === undefined) throw new Error(`no record “${name}” of Dokku 0.38.27`);
  return found;
}

/** Puts other names into a recorded text, all in one pass, so that nothing that was put in is replaced again. */
export function substitute(text: string, names: Readonly<Record<string, string>>): string {
  const keys = Object.keys(names).toSorted((one, other) => other.length - one.length);
  if (keys.length === 0) return text;
  const anyOf = new RegExp(keys.map((key) => key.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('|'), 'g');
  return text.replaceAll(anyOf, (key) => names[key] ?? key);
}

/** A push prints everything on the local stderr: this is what the server itself wrote (the client's own last lines left out). */
export function pushOutput(name: string): string {
  return recorded(name)
    .stderr.split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length).replace(/ {8}$/, ''))
    .join('\n')
    .concat('\n');
}

/** Lines of a text from the first that begins with `from` up to and without the first later one that begins with `to`. */
export function part(text: string, from: string, to: string | null): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(from));
  const end = to === null ? lines.length - 1 : lines.findIndex((line, index) => index > start && line.startsWith(to));
  if (start === -1 || end === -1) throw new Error(`the recorded text has no part from “${from}” to “${to}”`);
  return `${lines.slice(start, end).join('\n')}\n`;
}

/** JSON as Dokku's Go programs write it: keys in order, no blanks, `<`, `>` and `&` escaped. */
export function goJson(value: Readonly<Record<string, unknown>> | readonly unknown[]): string {
  const sorted = Array.isArray(value) ? value : Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  return JSON.stringify(sorted).replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The first line of a text that begins so, without its end. */
export function lineOf(text: string, start: string): string {
  const found = text.split('\n').find((line) => line.startsWith(start));
  if (found === undefined) throw new Error(`the recorded text has no line “${start}”`);
  return found;
}
