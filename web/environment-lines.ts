// Several variables at once: lines KEY=value, as a .env file has them, read into names and values.

import { variableNameSchema, whyReserved } from '../contracts/environment.ts';

export type Line = { readonly name: string; readonly value: string };

/**
 * Reads `KEY=value` lines: empty lines and lines that begin with # are left out, `export` before a name is allowed,
 * a value in double quotes may hold several lines, one in single quotes is taken as it stands.
 * @returns the variables, or the first remark with its line number
 */
export function readLines(text: string): { variables: readonly Line[]; remark: null } | { variables: readonly []; remark: string } {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const found = new Map<string, string>();
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', rest = ''] = /^(?:export\s+)?([^=\s]*)\s*=\s*([^]*)$/.exec(line) ?? [];
    const remark = remarkOn(line, name);
    if (remark !== null) return { variables: [], remark: `Line ${at + 1}: ${remark}` };
    const begin = at;
    let value = rest;
    while (value.startsWith('"') && !isClosed(value) && at + 1 < lines.length) value += `\n${lines[(at += 1)] ?? ''}`;
    if (value.startsWith('"') && !isClosed(value)) return { variables: [], remark: `Line ${begin + 1}: the quote of ${name} is not closed.` };
    found.set(name, unquote(value));
  }
  return { variables: [...found].map(([name, value]) => ({ name, value })), remark: null };
}

function remarkOn(line: string, name: string): string | null {
  if (!line.includes('=')) return 'write KEY=value.';
  const checked = variableNameSchema.safeParse(name);
  if (!checked.success) return `“${name}” is no name. ${checked.error.issues[0]?.message ?? ''}`;
  const reason = whyReserved(name);
  return reason === null ? null : `${name} cannot be set here: ${reason}`;
}

const isClosed = (value: string): boolean => /^"(?:[^"\\]|\\[^])*"\s*$/.test(value);

function unquote(value: string): string {
  const trimmed = value.trimEnd();
  if (isClosed(trimmed))
    return trimmed
      .slice(1, -1)
      .replaceAll(/\\(["\\])/g, '$1')
      .replaceAll(String.raw`\n`, '\n');
  return /^'[^']*'$/.test(trimmed) ? trimmed.slice(1, -1) : value;
}
