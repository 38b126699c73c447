// An address where nothing is.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import { Empty } from '../components/Answer.tsx';
import { useTitle } from '../title.ts';

export function NotFound(): ReactNode {
  useTitle('Not found');
  return (
    <Empty isPage title="There is nothing at this address">
      <p>It may have been mistyped, or what stood here is gone.</p>
      <Button as={Link} to="/" primary>
        All instances
      </Button>
    </Empty>
  );
}
