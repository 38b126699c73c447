// A file of the HTTP interface as a button.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { Glyph } from './Glyph.tsx';

/** @param path below `/api/v1`; `name` is read aloud, because the same button stands in every row */
export function DownloadButton({ path, name }: { path: string; name: string }): ReactNode {
  return (
    <Button as="a" role="link" basic compact size="small" href={`/api/v1${path}`} aria-label={name} download>
      <Glyph name="download" /> Download
    </Button>
  );
}
