// Terminal text as a page can show it: colours become spans, every other escape sequence is dropped.

type TerminalColour = 'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white';
type TerminalSpan = { readonly text: string; readonly colour: TerminalColour | null; readonly isBold: boolean };
export type TerminalLine = readonly TerminalSpan[];

const colours: readonly TerminalColour[] = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
/** CSI … final byte · OSC/DCS/PM/APC/SOS … BEL or ST · a sequence that is cut off at the end · other two-byte escapes. */
// oxlint-disable-next-line no-control-regex -- control characters are what this file is about
const escapes = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][\s\S]*?(?:\x07|\x1b\\|$)|\x1b(?:\[[0-?]*[ -/]*)?$|\x1b[ -/]*[0-~]/g;
// oxlint-disable-next-line no-control-regex -- as above; tab and newline stay
const controls = /[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without any escape sequence: what may be copied into a terminal of one's own. */
export const plainText = (text: string): string =>
  parseTerminal(text)
    .map((line) => line.map((span) => span.text).join(''))
    .join('\n');

type Style = { colour: TerminalColour | null; isBold: boolean };

/** Lines of spans, without the empty one after the last newline. A carriage return starts its line again, as progress bars expect. */
export function parseTerminal(text: string): TerminalLine[] {
  let style: Style = { colour: null, isBold: false };
  return text
    .replaceAll(/\r+\n/g, '\n')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const parsed = parseLine(lastPass(line), style);
      style = parsed.style;
      return parsed.spans;
    });
}

/** What is left of a line after its carriage returns; a trailing one has not overwritten anything yet. */
function lastPass(line: string): string {
  const passes = line.split('\r').filter((pass) => pass !== '');
  return passes.at(-1) ?? '';
}

function parseLine(line: string, start: Style): { spans: TerminalSpan[]; style: Style } {
  const spans: TerminalSpan[] = [];
  let style = start;
  let from = 0;
  const add = (until: number): void => {
    const text = line.slice(from, until).replaceAll(controls, '');
    if (text !== '') spans.push({ text, ...style });
  };
  for (const match of line.matchAll(escapes)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') style = restyle(style, match[1] ?? '');
  }
  add(line.length);
  return { spans, style };
}

function restyle(style: Style, parameters: string): Style {
  const codes = parameters.split(';').map(Number);
  let next = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) index += codes[index + 1] === 2 ? 4 : 2; // colours of the large palettes are left out
    else if (code === 0) next = { colour: null, isBold: false };
    else if (code === 1) next = { ...next, isBold: true };
    else if (code === 22) next = { ...next, isBold: false };
    else if (code === 39) next = { ...next, colour: null };
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = { ...next, colour: colours[code % 10] ?? null };
  }
  return next;
}
