// The admin password: hidden until clicked, copyable without being shown; each reading is recorded by the panel.

import { useEffect, useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { adminPasswordSchema } from '../../contracts/instances.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { showToast } from '../toasts.ts';
import { CopyButton } from './CopyButton.tsx';
import { Glyph } from './Glyph.tsx';

const shownMs = 60_000;

export function AdminPassword({ instanceName }: { instanceName: string }): ReactNode {
  const [shown, setShown] = useState<string | null>(null);
  const [isPending, setPending] = useState(false);
  useEffect(() => {
    if (shown === null) return undefined;
    const timer = window.setTimeout(() => setShown(null), shownMs);
    return () => window.clearTimeout(timer);
  }, [shown]);
  const read = async (): Promise<string> => (await request(adminPasswordSchema, instanceApi(instanceName, '/admin-password'))).password;
  const reveal = async (): Promise<void> => {
    setPending(true);
    try {
      setShown(await read());
    } catch (error) {
      showToast(error instanceof Error ? error.message : 'The password could not be read.', 'brick');
    } finally {
      setPending(false);
    }
  };
  return (
    <span className="secret">
      {shown === null ? (
        <span aria-label="hidden" className="code">
          ••••••••
        </span>
      ) : (
        <code data-testid="admin-password">{shown}</code>
      )}
      <Button
        type="button"
        basic
        compact
        icon
        loading={isPending}
        aria-label={shown === null ? 'Show password' : 'Hide password'}
        title={shown === null ? 'Show password' : 'Hide password'}
        onClick={() => (shown === null ? void reveal() : setShown(null))}
      >
        <Glyph name={shown === null ? 'eye outline' : 'eye slash outline'} />
      </Button>
      <CopyButton text={read} what="password" onRefused={() => void reveal()} />
    </span>
  );
}
