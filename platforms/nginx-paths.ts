// The one server that all paths share: instances are locations in files of their own, strays go where they came from.

import path from 'node:path';
import { renderLacks, renderPlainBelow, sharesPlainPort } from './nginx-plain.ts';
import { renderChallenge, renderHsts, renderOnlyPage, renderPage, renderProxy, renderSendOn } from './nginx-proxy.ts';
import type { NginxSettings, PathDoor } from './nginx-settings.ts';
import { renderCertificate, renderListen, type CertificateFile } from './nginx-tls.ts';
import { block, checked, checkedNumber, quoted } from './nginx-words.ts';

/** The servers of all paths; none where there is no such address. */
export function renderPaths(settings: NginxSettings, certificate: CertificateFile | null): readonly string[] {
  const { pathDoor: door, listenPort, https } = settings;
  if (door === null) return [];
  const name = `server_name ${door.port === null ? checked('host name', door.hostName) : '_'};`;
  if (!door.isTls || https === null) {
    const challenge = door.port === null ? [renderChallenge(settings)] : [];
    return [block('server', [...renderListen(settings, door.port ?? listenPort), name, ...challenge, ...pathsBody(settings, door)])];
  }
  const isReady = certificate !== null;
  // A port of its own also hears from browsers that were given it without https: they end in error 497.
  const onOwnPort = isReady ? plainToOwnPort(door.origin) : pendingOnOwnPort(settings);
  const encrypted = [
    ...renderListen(settings, door.port ?? https.port, { isTls: true }),
    name,
    ...renderCertificate(certificate),
    ...(door.port === null ? [] : onOwnPort),
    ...(isReady ? [...renderLacks(settings, door, true), ...pathsBody(settings, door)] : []),
  ];
  if (door.port !== null) return [block('server', encrypted)];
  const plain = [
    ...renderListen(settings, listenPort),
    name,
    renderChallenge(settings),
    ...(sharesPlainPort(settings, door)
      ? [...renderLacks(settings, door, isReady), ...pathsBody(settings, door)]
      : isReady
        ? [block('location /', renderSendOn(308, door.origin))]
        : renderOnlyPage(settings, 'certificate', 503)),
  ];
  return [block('server', encrypted), block('server', plain)];
}

/** What a request without encryption to a port that wants it is answered; `origin` is the address with https. */
export const plainToOwnPort = (origin: string): readonly string[] => [`error_page 497 =308 ${checked('address', origin)}$arboretum_asked;`];

/** The same while there is no certificate: the page that says so. */
export const pendingOnOwnPort = (settings: NginxSettings): readonly string[] => [
  'error_page 497 =503 /.arboretum/certificate.html;',
  renderPage(settings, 'certificate'),
];

function pathsBody(settings: NginxSettings, door: PathDoor): readonly string[] {
  const prefix = checked('path prefix', door.prefix);
  const first = renderPlainBelow(settings, door);
  return [
    `client_max_body_size ${checkedNumber('body limit', settings.maxPanelBodyMib, 100_000)}m;`,
    'absolute_redirect off;',
    'error_page 404 /.arboretum/nobody.html;',
    'error_page 429 /.arboretum/busy.html;',
    ...renderHsts(settings),
    ...(['nobody', 'busy', 'moment', 'waiting', 'stopped'] as const).map((page) => renderPage(settings, page)),
    // What has the prefix and is no instance's is nobody's; a stray without it belongs to the page that asked for it.
    // By this the system check knows its own panel behind the address of all paths.
    block(`location = ${prefix}/healthz`, [...first, 'rewrite ^ /healthz break;', ...renderProxy(settings.layout.serverSocket, '""', '5s')]),
    block(`location = ${prefix}`, [...first, 'return 404;']),
    block(`location ^~ ${prefix}/`, [...first, 'return 404;']),
    block('location /', [...first, 'if ($arboretum_referer_prefix) { return 307 $arboretum_referer_prefix$arboretum_asked; }', 'return 404;']),
    `include ${quoted(settings.layout.nginxPaths, '/*.conf')};`,
  ];
}

/** `/otree/NAME` of the page that a stray request came from, when that page is one of this host. */
export function renderRefererMap({ pathDoor }: NginxSettings): readonly string[] {
  if (pathDoor === null) return [];
  const prefix = checked('path prefix', pathDoor.prefix);
  return [
    block('map "$host|$http_referer" $arboretum_referer_prefix', [
      String.raw`"~^([^|]+)\|https?://\1(?::\d+)?(?<arboretum_came_from>${prefix}/[a-z0-9][a-z0-9-]*)(?:[/?#]|$)" $arboretum_came_from;`,
      'default "";',
    ]),
  ];
}

/** Whether this server can have the prefix: one label below its own. */
export const isBelow = (door: PathDoor | null, prefix: string): boolean => door !== null && path.posix.dirname(prefix) === door.prefix;
