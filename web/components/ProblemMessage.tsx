// What went wrong and what to do now, the same on every page.

import type { ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import { ApiError } from '../api.ts';
import { Glyph } from './Glyph.tsx';

export function ProblemMessage({ error, onRetry }: { error: Error; onRetry?: () => void }): ReactNode {
  const isOurs = error instanceof ApiError;
  return (
    <Message negative role="alert">
      <Message.Header>
        <Glyph name="times circle" /> {isOurs ? error.message : 'Something unexpected happened in this page.'}
      </Message.Header>
      <p>{isOurs ? error.hint : 'Reload the page and try again.'}</p>
      {isOurs && error.status >= 500 && error.requestId !== '' && <p className="quiet">Request number {error.requestId}</p>}
      {onRetry && (
        <Button type="button" basic compact onClick={onRetry}>
          Try again
        </Button>
      )}
    </Message>
  );
}
