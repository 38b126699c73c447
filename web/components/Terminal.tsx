// Terminal text in colours, as React text only; it follows the end until the reader scrolls up.

import { useLayoutEffect, useMemo, useRef, type ReactNode } from 'react';
import { parseTerminal, plainText } from '../terminal.ts';
import { CopyButton } from './CopyButton.tsx';

/** A browser stays quick with this much; the whole log is still copied. */
const shownCharacters = 200_000;

export function Terminal({ text, name }: { text: string; name: string }): ReactNode {
  const box = useRef<HTMLPreElement>(null);
  const isFollowing = useRef(true);
  const isCut = text.length > shownCharacters;
  const lines = useMemo(() => parseTerminal(isCut ? text.slice(text.indexOf('\n', text.length - shownCharacters) + 1) : text), [text, isCut]);
  useLayoutEffect(() => {
    const pre = box.current;
    if (pre && isFollowing.current) pre.scrollTop = pre.scrollHeight;
  }, [lines]);
  const onScroll = (): void => {
    const pre = box.current;
    if (pre) isFollowing.current = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 30;
  };
  return (
    <div className="terminal">
      <CopyButton text={() => Promise.resolve(plainText(text))} what={name} />
      {isCut && <p className="quiet">Earlier lines are left out here; “Copy” takes all of them.</p>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls has to be reached with the keyboard */}
      <pre ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={name} aria-live="off">
        {lines.map((line, at) => (
          // lines only ever grow at the end, so their place is their key
          <span key={at}>
            {line.map((span, part) => (
              <span key={part} className={`ansi-${span.colour ?? 'plain'}${span.isBold ? ' ansi-bold' : ''}`}>
                {span.text}
              </span>
            ))}
            {'\n'}
          </span>
        ))}
      </pre>
    </div>
  );
}
