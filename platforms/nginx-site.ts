// One route as nginx is told it: its present address, and each former one that leads there. Pure.

import { AppError } from '../contracts/errors.ts';
import type { DoorCertificate, FrontDoorRoute, RouteAddress } from './front-door.ts';
import { renderCookieSpoilers } from './nginx-cookies.ts';
import { isBelow, pendingOnOwnPort, plainToOwnPort } from './nginx-paths.ts';
import { renderPlainBelow, renderPlainPort } from './nginx-plain.ts';
import { checkedPage, renderChallenge, renderHsts, renderPage, renderProxy, renderSendOn } from './nginx-proxy.ts';
import type { NginxSettings } from './nginx-settings.ts';
import { certificateFile, renderCertificate, renderListen, type CertificateFile } from './nginx-tls.ts';
import { block, checked, checkedNumber, checkedPort } from './nginx-words.ts';

/** What goes into a site's two files (empty: no such file), and the certificate that they name. */
export type Site = { readonly servers: string; readonly locations: string; readonly certificates: readonly CertificateFile[] };

/** What an address takes for itself alone: `port:8123`, `host:trust.lab.example.org` or `path:/otree/trust`. */
export function claimOf(address: RouteAddress): string {
  if (address.mode === 'port') return `port:${checkedPort(address.port)}`;
  return address.mode === 'name' ? `host:${checked('host name', address.hostName)}` : `path:${checked('path prefix', address.prefix)}`;
}

/** The claim that a rendered site was written for, read back from its first line; null when the file is not ours. */
export const claimOfSite = ({ servers, locations }: Site): string | null =>
  /^# arboretum route ((?:port|host|path):[a-z0-9./-]+)\n/.exec(servers === '' ? locations : servers)?.[1] ?? null;

/** What an address does with a request: lines of a server, or of a location. */
type Answer = {
  /** `first`: with what its location begins. */
  readonly server: (first: readonly string[]) => readonly string[];
  readonly location: readonly string[];
  /** Where a request without encryption is sent when https is meant. */
  readonly secureUrl: string;
  /** Whether such a request may be answered as it is: a redirect shows nothing that needs encryption. */
  readonly isFineInPlain: boolean;
};

/** The site of the present address. @throws platform_failed when a value could mean something to nginx */
export function renderSite(settings: NginxSettings, route: FrontDoorRoute): Site {
  const page = checkedPage(route.fallback);
  const instance = [
    `client_max_body_size ${checkedNumber('body limit', route.maxBodyMib, 100_000)}m;`,
    `set $arboretum_own ${checked('cookie name', route.cookieName)};`,
    `error_page 502 503 504 =503 /.arboretum/${page}.html;`,
    'error_page 429 /.arboretum/busy.html;',
    ...renderHsts(settings),
  ];
  const upstream =
    route.upstreamSocket === null
      ? ['return 503;']
      : [...renderProxy(route.upstreamSocket, '$arboretum_instance_cookie', '1h'), ...renderCookieSpoilers(settings.canEditCookieFlags)];
  return renderAddress(settings, route.address, {
    server: (first) => [...instance, renderPage(settings, page), renderPage(settings, 'busy'), block('location /', [...first, ...upstream])],
    location: [...renderPlainBelow(settings, settings.pathDoor), ...instance, ...upstream],
    secureUrl: route.url,
    isFineInPlain: false,
  });
}

/** The site of a former address; null for a path that this door does not have any more. @throws platform_failed as above */
export function renderFormer(settings: NginxSettings, former: RouteAddress, url: string): Site | null {
  if (former.mode === 'path' && !isBelow(settings.pathDoor, former.prefix)) return null;
  const body = `client_max_body_size ${checkedNumber('body limit', settings.maxPanelBodyMib, 100_000)}m;`;
  return renderAddress(settings, former, {
    server: () => [body, block('location /', renderSendOn(307, url))],
    location: [`set $arboretum_prefix ${former.mode === 'path' ? checked('path prefix', former.prefix) : ''};`, ...renderSendOn(307, url, '$arboretum_below')],
    secureUrl: url,
    isFineInPlain: true,
  });
}

function renderAddress(settings: NginxSettings, address: RouteAddress, answer: Answer): Site {
  const head = `# arboretum route ${claimOf(address)}\n`;
  if (address.mode === 'path') return { servers: '', locations: `${head}${renderLocations(settings, address.prefix, answer)}\n`, certificates: [] };
  const certificate = settings.https === null ? null : fileOf(settings, address.certificate);
  const servers =
    address.mode === 'name' ? onName(settings, { name: address.hostName, certificate, answer }) : onPort(settings, { port: address.port, certificate, answer });
  return { servers: `${head}${servers.join('\n')}\n`, locations: '', certificates: certificate === null ? [] : [certificate] };
}

const fileOf = (settings: NginxSettings, certificate: DoorCertificate | null): CertificateFile | null =>
  certificate === null ? null : certificateFile(settings.layout, certificate);

type Named<T> = T & { readonly certificate: CertificateFile | null; readonly answer: Answer };

function onName(settings: NginxSettings, { name, certificate, answer }: Named<{ readonly name: string }>): readonly string[] {
  const serverName = `server_name ${checked('host name', name)};`;
  const plain = (lines: readonly string[]): string =>
    block('server', [...renderListen(settings, settings.listenPort), serverName, renderChallenge(settings), ...lines]);
  if (settings.https === null) return [plain(answer.server([]))];
  const toSecure = renderPlainPort(settings, { url: answer.secureUrl, isCertified: certificate !== null, answer: answer.server });
  return [
    plain(answer.isFineInPlain ? answer.server([]) : toSecure),
    block('server', [
      ...renderListen(settings, settings.https.port, { isTls: true }),
      serverName,
      ...renderCertificate(certificate),
      ...(certificate === null ? [] : answer.server([])),
    ]),
  ];
}

function onPort(settings: NginxSettings, { port, certificate, answer }: Named<{ readonly port: number }>): readonly string[] {
  const isTls = settings.https !== null;
  const pending = answer.isFineInPlain || certificate !== null ? plainToOwnPort(answer.secureUrl) : pendingOnOwnPort(settings);
  return [
    block('server', [
      ...renderListen(settings, port, { isTls }),
      'server_name _;',
      ...(isTls ? [...renderCertificate(certificate), ...pending] : []),
      ...(isTls && certificate === null ? [] : answer.server([])),
    ]),
  ];
}

/** In the server of all paths: the full path goes to oTree, which lives there. */
function renderLocations(settings: NginxSettings, prefix: string, answer: Answer): string {
  const own = checked('path prefix', prefix);
  if (!isBelow(settings.pathDoor, own)) throw new AppError('platform_failed', { reason: `the address of all paths (PATH_URL) has no room for ${own}.` });
  const slash = answer.isFineInPlain ? answer.location : [`return 307 ${own}/$is_args$args;`];
  return `${block(`location = ${own}`, slash)}\n${block(`location ^~ ${own}/`, answer.location)}`;
}
