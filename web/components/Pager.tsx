// The way through a list that comes in pages.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';

type Props = { page: number; pages: number; name: string; onPage: (page: number) => void };

export function Pager({ page, pages, name, onPage }: Props): ReactNode {
  if (pages <= 1) return null;
  return (
    <nav className="pager" aria-label={name}>
      <Button type="button" basic disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </Button>
      <span className="numbers" role="status">
        Page {page} of {pages}
      </span>
      <Button type="button" basic disabled={page >= pages} onClick={() => onPage(page + 1)}>
        Next
      </Button>
    </nav>
  );
}
