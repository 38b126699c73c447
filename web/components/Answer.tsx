// What a page shows while it waits for its rows, when they fail, and when there are none.

import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemMessage } from './ProblemMessage.tsx';

type Props<T> = { query: UseQueryResult<T>; children: (data: T) => ReactNode };

/** Shows the rows as soon as there are any; a later failure stands above the rows that are still there. */
export function Answer<T>({ query, children }: Props<T>): ReactNode {
  if (query.data === undefined) {
    if (query.error) return <ProblemMessage error={query.error} onRetry={() => void query.refetch()} />;
    return <Loading />;
  }
  return (
    <>
      {query.error && <ProblemMessage error={query.error} onRetry={() => void query.refetch()} />}
      {children(query.data)}
    </>
  );
}

export function Loading({ what = 'Loading…' }: { what?: string }): ReactNode {
  return (
    <div className="waiting" role="status">
      <span className="ui active inline loader" aria-hidden="true" />
      <span>{what}</span>
    </div>
  );
}

/** A list without rows: what would stand here, and the way to the first one. */
export function Empty({
  title,
  isPage = false,
  children,
}: {
  title: string;
  /** Nothing else stands on the page: this is its heading. */ isPage?: boolean;
  children?: ReactNode;
}): ReactNode {
  const Heading = isPage ? 'h1' : 'h2';
  return (
    <div className="empty">
      <Heading className="ui header">{title}</Heading>
      {children}
    </div>
  );
}
