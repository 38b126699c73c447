// What a traceback of Python comes to, in a line.

/**
 * The line that names the exception: the first after the last frames that is not indented. What it says may go on below, and
 * lines of others may stand behind it. The head may be cut off (`domain/last-traceback.ts`).
 */
export function exceptionOf(traceback: string): string {
  const lines = traceback.trimEnd().split('\n');
  const head = Math.max(0, lines.lastIndexOf('Traceback (most recent call last):'));
  return lines.slice(head + 1).find((line) => /^\S/.test(line)) ?? lines.at(-1) ?? '';
}
