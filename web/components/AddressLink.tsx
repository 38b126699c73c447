// An experiment's address: to open and to copy.

import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton.tsx';

export const AddressLink = ({ url }: { url: string }): ReactNode => (
  <>
    <a href={url} target="_blank" rel="noopener">
      {url} ↗
    </a>{' '}
    <CopyButton what="address" text={url} />
  </>
);
