// A button that copies a text and says so.

import { useEffect, useState, type MouseEvent, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { copyText } from '../clipboard.ts';
import { showToast } from '../toasts.ts';
import { Glyph } from './Glyph.tsx';

type Props = {
  /** The text, or how to get it (a secret is fetched only when it is wanted). */
  text: string | (() => Promise<string>);
  /** What is copied, for the button's name: "Copy remote". */
  what: string;
  /** What to do when the browser lets nobody copy. */
  onRefused?: () => void;
};

export function CopyButton({ text, what, onRefused }: Props): ReactNode {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), 2_000);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const copy = async (event: MouseEvent<HTMLButtonElement>): Promise<void> => {
    const button = event.currentTarget;
    try {
      const found = typeof text === 'string' ? text : await text();
      const isDone = await copyText(found, button);
      setCopied(isDone);
      if (!isDone) onRefused?.();
      if (!isDone) showToast('Your browser does not let this page copy. Mark the text and press Ctrl+C.', 'brick');
    } catch (error) {
      showToast(error instanceof Error ? error.message : 'This could not be copied.', 'brick');
    }
  };
  return (
    <Button
      type="button"
      basic
      compact
      icon
      className="copy"
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={(event: MouseEvent<HTMLButtonElement>) => void copy(event)}
    >
      <Glyph name={isCopied ? 'check' : 'copy outline'} />
      <span role="status" className="said">
        {isCopied ? 'Copied' : ''}
      </span>
    </Button>
  );
}
