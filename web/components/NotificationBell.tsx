// The bell in the header: how many are new, and what was told before.

import { useSyncExternalStore, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useTens } from '../clock.ts';
import { markSeen, onNotifications, readNotifications, type Notification } from '../notifications.ts';
import { describeAgo } from '../times.ts';
import { Glyph } from './Glyph.tsx';
import { MenuButton } from './MenuButton.tsx';

const icons: Readonly<Record<Notification['tone'], string>> = { moss: 'check circle', brick: 'times circle', stone: 'ban' };

export function NotificationBell(): ReactNode {
  const notifications = useSyncExternalStore(onNotifications, readNotifications);
  const navigate = useNavigate();
  const nowMs = useTens();
  const fresh = notifications.filter(({ isSeen }) => !isSeen).length;
  return (
    <MenuButton
      isPlain
      name={fresh === 0 ? 'Notifications' : `Notifications, ${fresh} new`}
      onClose={markSeen}
      label={
        <>
          <Glyph name={fresh === 0 ? 'bell outline' : 'bell'} />
          {fresh > 0 && <span className="count">{fresh}</span>}
        </>
      }
      head={<p className="popped-head">{notifications.length === 0 ? 'Nothing was told yet in this tab.' : 'Notifications'}</p>}
      entries={notifications.map(({ id, at, text, tone, to }) => ({
        key: id,
        label: text,
        icon: icons[tone],
        note: describeAgo(at, nowMs),
        isDangerous: tone === 'brick',
        onChoose: () => void (to !== null && navigate(to)),
      }))}
    />
  );
}
