// What an experiment writes while it runs: searched, and handed out so that no terminal obeys it.

import { StringDecoder } from 'node:string_decoder';
import type { LogSearch } from '../contracts/logs.ts';
import type { WorkerContext } from './context.ts';

const listedLines = 500;
const shownCharacters = 2000;
const searchMs = 5000;

/** Sequences that colour text: between the letters that people look for. */
const colours = /\x1b\[[0-9;:]*m/g;
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Control characters as the pictures Unicode has for them: nothing that is left moves a cursor or sets a title. */
export const harmless = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(controls, (letter) => (letter < ' ' ? String.fromCodePoint(0x2400 + letter.charCodeAt(0)) : '\ufffd'));

/** Every kept line of the log, harmless, as bytes that can be sent as they come. */
export async function* wholeLog(ctx: Pick<WorkerContext, 'platform'>, instanceId: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const bytes of ctx.platform.openLog(instanceId)) {
    const text = harmless(decoder.write(bytes as Buffer));
    if (text !== '') yield text;
  }
  yield harmless(decoder.end());
}

/**
 * Lines that hold a text, whatever the case of its letters, in all that is kept; the newest 500 of them.
 * @param limitMs how long it may take before it is broken off
 */
export async function searchLog(ctx: Pick<WorkerContext, 'platform'>, of: { instanceId: string; text: string }, limitMs = searchMs): Promise<LogSearch> {
  const wanted = of.text.toLowerCase();
  const deadline = Date.now() + limitMs;
  const lines: LogSearch['lines'] = [];
  let found = 0;
  let number = 0;
  let isCut = false;
  const look = (line: string): void => {
    number += 1;
    const plain = line.replaceAll(colours, '');
    if (!plain.toLowerCase().includes(wanted)) return;
    found += 1;
    lines.push({ number, text: harmless(plain).slice(0, shownCharacters) });
    if (lines.length > listedLines) lines.shift();
  };
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const bytes of ctx.platform.openLog(of.instanceId)) {
    isCut = Date.now() > deadline;
    if (isCut) break;
    const pieces = (rest + decoder.write(bytes as Buffer)).split('\n');
    rest = pieces.pop() ?? '';
    for (const line of pieces) look(line);
  }
  if (!isCut && rest !== '') look(rest);
  return { lines, found, isCut };
}
