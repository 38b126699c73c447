// A button that opens a menu: arrow keys, Escape, and a reason beside every item that has to wait.

import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { Glyph } from './Glyph.tsx';

type MenuEntry = {
  readonly key: string;
  readonly label: string;
  readonly icon: string;
  readonly isDangerous?: boolean;
  /** A second line, smaller. */
  readonly note?: string;
  readonly whyNot?: string | null;
  readonly onChoose: () => void;
};
type Props = { label: ReactNode; name: string; entries: readonly MenuEntry[]; isPlain?: boolean; head?: ReactNode; onClose?: () => void };

export function MenuButton({ label, name, entries, isPlain = false, head, onClose }: Props): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const setOpen = (next: boolean): void => {
    setIsOpen(next);
    if (isOpen && !next) onClose?.();
  };
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  useOutside(box, isOpen, () => setOpen(false));
  useEffect(() => {
    if (isOpen) box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    box.current?.querySelector<HTMLElement>(':scope > button')?.focus();
  };
  const choose = (entry: MenuEntry): void => {
    if (entry.whyNot) return;
    close();
    entry.onChoose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Tab') setOpen(false);
    else if (!moveFocus(box.current, event.key)) return;
    if (event.key !== 'Tab') event.preventDefault();
  };
  return (
    <div className="menu-button" ref={box}>
      <Button
        type="button"
        basic={!isPlain}
        className={isPlain ? 'plain' : ''}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={name}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </Button>
      {isOpen && (
        <div className="popped" id={id}>
          {head}
          <ul role="menu" aria-label={name} tabIndex={-1} onKeyDown={onKeyDown}>
            {entries.map((entry) => (
              <li key={entry.key} role="none">
                <button
                  type="button"
                  role="menuitem"
                  tabIndex={-1}
                  aria-disabled={Boolean(entry.whyNot)}
                  className={entry.isDangerous ? 'tone-brick' : ''}
                  onClick={() => choose(entry)}
                >
                  <Glyph name={entry.icon} />
                  <span>
                    {entry.label}
                    {entry.note && <small>{entry.note}</small>}
                    {entry.whyNot && <small>{entry.whyNot}</small>}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function moveFocus(box: HTMLElement | null, key: string): boolean {
  const items = [...(box?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const places: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const place = places[key];
  if (place === undefined) return false;
  items.at(place % items.length)?.focus();
  return true;
}

function useOutside(box: { current: HTMLElement | null }, isWanted: boolean, onOutside: () => void): void {
  useEffect(() => {
    if (!isWanted) return undefined;
    const look = (event: PointerEvent): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) onOutside();
    };
    document.addEventListener('pointerdown', look);
    return () => document.removeEventListener('pointerdown', look);
  });
}
