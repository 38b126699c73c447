// The title of the browser's tab: what this page is, then the panel.

import { useEffect } from 'react';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Arboretum`;
  }, [title]);
}
