// A small light in the header: whether what you see moves by itself.

import type { ReactNode } from 'react';
import { useIsLive } from '../live.tsx';

export function LiveLight(): ReactNode {
  const isLive = useIsLive();
  return (
    <span
      className={`live-light ${isLive ? 'is-live' : ''}`}
      role="status"
      title={isLive ? 'Changes appear by themselves.' : 'The live line is down; the page asks every few seconds meanwhile.'}
    >
      <span className="dot" aria-hidden="true" />
      <span className={isLive ? '' : 'wide-only'}>{isLive ? 'live' : 'reconnecting…'}</span>
    </span>
  );
}
