// A dialog: Fomantic's modal on the browser's own <dialog>, which keeps the focus inside and closes on Escape.

import { useEffect, useId, useRef, type ReactNode, type SyntheticEvent } from 'react';

type Props = { title: string; isDangerous?: boolean; onClose: () => void; children: ReactNode };

/** The focus goes to the element marked `data-first-focus`, which should be the safe one. */
export function Dialog({ title, isDangerous = false, onClose, children }: Props): ReactNode {
  const box = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = box.current;
    const opener = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>('[data-first-focus]')?.focus();
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  const cancel = (event: SyntheticEvent): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={box} className={`ui small modal ${isDangerous ? 'dangerous' : ''}`} aria-labelledby={titleId} onCancel={cancel}>
      <h2 className="header" id={titleId}>
        {title}
      </h2>
      {/* in a box of their own: Fomantic squeezes what stands directly in a modal on a phone */}
      <div>{children}</div>
    </dialog>
  );
}
