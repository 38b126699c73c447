// What stands in a page's place when the page itself fails, for example after an upgrade of the panel.

import type { ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';

export function PageFailed(): ReactNode {
  return (
    <Message negative role="alert">
      <Message.Header>This page could not be shown.</Message.Header>
      <p>The panel does not answer just now, or it was upgraded since you opened it. Reload the page; what you started goes on meanwhile.</p>
      <Button type="button" basic onClick={() => window.location.reload()}>
        Reload
      </Button>
    </Message>
  );
}
