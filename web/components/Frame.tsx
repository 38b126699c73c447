// The frame around every page of a signed-in person: header, notices, page, footer.

import { Suspense, useEffect, useRef, type ReactNode } from 'react';
import { Link, Navigate, Outlet, ScrollRestoration, useLocation, useNavigate } from 'react-router';
import type { Me } from '../../contracts/people.ts';
import { useCertificateWarnings } from '../certificates.ts';
import { LiveLine } from '../live.tsx';
import { useMay, useMe, usePanel, useSignOut } from '../panel.ts';
import { Loading } from './Answer.tsx';
import { Glyph } from './Glyph.tsx';
import { LegalLinks } from './LegalLinks.tsx';
import { LiveLight } from './LiveLight.tsx';
import { MenuButton } from './MenuButton.tsx';
import { Notices } from './Notices.tsx';
import { NotificationBell } from './NotificationBell.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

export function Frame(): ReactNode {
  const me = useMe();
  const { pathname, search } = useLocation();
  useFocusOnPage();
  useCertificateWarnings();
  if (me.data === null)
    return <Navigate replace to={pathname === '/' && search === '' ? '/sign-in' : `/sign-in?back=${encodeURIComponent(pathname + search)}`} />;
  if (me.data === undefined)
    return <main className="page">{me.error ? <ProblemMessage error={me.error} onRetry={() => void me.refetch()} /> : <Loading />}</main>;
  return (
    <LiveLine personId={me.data.person.id}>
      <a className="skip" href="#content">
        Skip to the page
      </a>
      <TopBar me={me.data} />
      <Notices />
      <main id="content" className="page" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <Footer />
      <ScrollRestoration />
    </LiveLine>
  );
}

function TopBar({ me }: { me: Me }): ReactNode {
  const places = usePlaces();
  const navigate = useNavigate();
  const { signOut } = useSignOut();
  const own = [
    { key: 'keys', label: 'SSH keys', icon: 'key', onChoose: () => void navigate('/keys') },
    { key: 'account', label: 'Account', icon: 'user outline', onChoose: () => void navigate('/account') },
    { key: 'out', label: 'Sign out', icon: 'sign out alternate', onChoose: signOut },
  ];
  return (
    <header className="top">
      <Link to="/" className="brand" aria-label="Arboretum: all instances">
        <Glyph name="tree" />
        Arboretum
      </Link>
      <nav aria-label="Main" className="wide-only">
        {places.map(({ to, label, isHere }) => (
          <Link key={to} to={to} className={isHere ? 'active' : ''} aria-current={isHere ? 'page' : undefined}>
            {label}
          </Link>
        ))}
      </nav>
      <span className="spring" />
      <LiveLight />
      <NotificationBell />
      <div className="narrow-only">
        <MenuButton
          isPlain
          name="Pages"
          label={<Glyph name="bars" />}
          entries={places.map(({ to, label, icon }) => ({ key: to, label, icon, onChoose: () => void navigate(to) }))}
        />
      </div>
      <MenuButton
        isPlain
        name={`Menu of ${me.person.name}`}
        label={
          <>
            <Glyph name="user circle outline" />
            <span className="wide-only">{me.person.name}</span>
          </>
        }
        head={
          <p className="popped-head">
            {me.person.name}
            <small>{me.person.role === 'manager' ? 'Lab manager' : 'Experimenter'}</small>
          </p>
        }
        entries={own}
      />
    </header>
  );
}

type Place = { to: string; label: string; icon: string; isHere: boolean };

function usePlaces(): Place[] {
  const { pathname } = useLocation();
  const maySeePeople = useMay('people.list');
  const maySeeSystem = useMay('system.read');
  const places = [
    { to: '/', label: 'Instances', icon: 'th large' },
    { to: '/jobs', label: 'Jobs', icon: 'tasks' },
    ...(maySeePeople ? [{ to: '/people', label: 'People', icon: 'users' }] : []),
    ...(maySeeSystem ? [{ to: '/system', label: 'System', icon: 'server' }] : []),
  ];
  return places.map((place) => ({
    ...place,
    isHere: place.to === '/' ? pathname === '/' || pathname.startsWith('/instances/') : pathname.startsWith(place.to),
  }));
}

/** After a change of page the focus goes to the page, unless the page took it already; tabs of one instance keep it. */
function useFocusOnPage(): void {
  const page = useLocation().pathname.split('/').slice(0, 3).join('/');
  const last = useRef(page);
  useEffect(() => {
    if (last.current === page) return;
    last.current = page;
    const main = document.getElementById('content');
    if (!main?.contains(document.activeElement)) main?.focus({ preventScroll: true });
  }, [page]);
}

function Footer(): ReactNode {
  const panel = usePanel().data;
  if (!panel) return <footer />;
  return (
    <footer>
      <span>
        {panel.name} {panel.version}
      </span>
      <a href="/help">Help</a>
      <a href="/api/v1/docs">HTTP interface</a>
      <Link to="/about">About</Link>
      <LegalLinks />
      {!panel.isHttps && (
        <span title="Whoever listens on this network could read along. A lab manager can set PUBLIC_URL to an https address.">
          <Glyph name="lock open" /> This page comes by http, not encrypted.
        </span>
      )}
    </footer>
  );
}
