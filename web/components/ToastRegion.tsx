// Where short messages appear; read aloud when they come.

import { useSyncExternalStore, type ReactNode } from 'react';
import { dismissToast, onToasts, readToasts } from '../toasts.ts';
import { Glyph } from './Glyph.tsx';

export function ToastRegion(): ReactNode {
  const toasts = useSyncExternalStore(onToasts, readToasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, tone }) => (
        <div key={id} className={`told tone-${tone}`}>
          <Glyph name={tone === 'moss' ? 'check circle' : 'times circle'} />
          <span>{text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => dismissToast(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
