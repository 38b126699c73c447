// The servers of the panel itself, and of names that nobody has.

import { renderPlainPort } from './nginx-plain.ts';
import { renderChallenge, renderHsts, renderOnlyPage, renderPage, renderProxy } from './nginx-proxy.ts';
import type { NginxSettings } from './nginx-settings.ts';
import { coversNamesBelow, renderCertificate, renderListen, type CertificateFile } from './nginx-tls.ts';
import { block, checked, checkedNumber } from './nginx-words.ts';

/**
 * All servers of the panel. The plain port's default server answers where no other name fits.
 * @param certificate what the panel's name shows over https; null: the handshake is refused until there is one
 */
export function renderPanel(settings: NginxSettings, certificate: CertificateFile | null): readonly string[] {
  const plain = { port: settings.listenPort, isDefault: true };
  if (settings.https === null)
    return [block('server', [...panelHead(settings, plain), renderChallenge(settings), ...panelBody(settings)]), ...nobody(settings)];
  const { port, origin } = settings.https;
  // Browsers send no name in the handshake for an address of digits: then the panel is the one for all.
  const isForAll = settings.panelHostNames.length === 0;
  const isForAllNames = [block('server', [...renderListen(settings, port, { isTls: true, isDefault: true }), 'server_name _;', ...renderCertificate(null)])];
  return [
    block('server', [
      ...panelHead(settings, plain),
      renderChallenge(settings),
      ...renderPlainPort(settings, { url: origin, isCertified: certificate !== null, answer: (first) => panelBody(settings, first) }),
    ]),
    ...nobody(settings),
    ...(isForAll ? [] : isForAllNames),
    block('server', [
      ...panelHead(settings, { port, isDefault: isForAll, isTls: true }),
      ...renderCertificate(certificate),
      ...(certificate === null ? [] : panelBody(settings)),
    ]),
    ...nobodyOverTls(settings, certificate),
  ];
}

type Listener = { readonly port: number; readonly isDefault: boolean; readonly isTls?: boolean };

const panelHead = (settings: NginxSettings, { port, ...how }: Listener): readonly string[] => [
  ...renderListen(settings, port, how),
  // The plain port's default server, or all there is: also without a name.
  `server_name ${[...(how.isDefault ? ['_'] : []), ...settings.panelHostNames.map((name) => checked('host name', name))].join(' ')};`,
];

const jsonProblem = (what: { readonly status: number; readonly title: string; readonly code: string }): string =>
  `'{"type":"about:blank","title":"${what.title}","status":${what.status},"code":"${what.code}","hint":"Try again in a few seconds.","requestId":"$request_id"}'`;

function problemLocation(settings: NginxSettings, name: string, problem: Parameters<typeof jsonProblem>[0]): string {
  return block(`location = /.arboretum/${name}.json`, [
    'internal;',
    'default_type application/problem+json;',
    'add_header Retry-After 3 always;',
    'add_header Cache-Control no-store always;',
    ...renderHsts(settings),
    `return ${problem.status} ${jsonProblem(problem)};`,
  ]);
}

/** @param first with what each location begins */
function panelBody(settings: NginxSettings, first: readonly string[] = []): readonly string[] {
  const proxy = (timeout: string): readonly string[] => [...first, ...renderProxy(settings.layout.serverSocket, '$arboretum_panel_cookie', timeout)];
  const forPrograms = ['error_page 502 504 =503 /.arboretum/away.json;', 'error_page 429 /.arboretum/busy.json;'];
  return [
    `client_max_body_size ${checkedNumber('body limit', settings.maxPanelBodyMib, 100_000)}m;`,
    'error_page 502 504 =503 /.arboretum/moment.html;',
    'error_page 429 /.arboretum/busy.html;',
    ...renderHsts(settings),
    renderPage(settings, 'moment'),
    renderPage(settings, 'busy'),
    problemLocation(settings, 'away', { status: 503, title: 'The panel does not answer just now.', code: 'service_unavailable' }),
    problemLocation(settings, 'busy', { status: 429, title: 'There are too many connections from your address.', code: 'service_unavailable' }),
    block('location ^~ /api/', [...forPrograms, ...proxy('5m')]),
    block('location ^~ /socket.io/', [...forPrograms, ...proxy('1h')]),
    block('location /', proxy('5m')),
  ];
}

const panelNames = ({ panelHostNames }: NginxSettings): readonly string[] =>
  panelHostNames.filter((name) => !/^[\d.]+$/.test(name)).map((name) => checked('host name', name));

/** Every other name below the panel's. */
function nobody(settings: NginxSettings): readonly string[] {
  const names = panelNames(settings).map((name) => `*.${name}`);
  if (names.length === 0) return [];
  return [
    block('server', [
      ...renderListen(settings, settings.listenPort),
      `server_name ${names.join(' ')};`,
      renderChallenge(settings),
      ...renderOnlyPage(settings, 'nobody', 404),
    ]),
  ];
}

/** The same over https, where the panel's certificate holds for them: for one label, as certificates do. */
function nobodyOverTls(settings: NginxSettings, certificate: CertificateFile | null): readonly string[] {
  const names = panelNames(settings)
    .filter((name) => coversNamesBelow(certificate, name))
    .map((name) => String.raw`~^[^.]+\.${name.replaceAll('.', String.raw`\.`)}$`);
  if (names.length === 0 || settings.https === null) return [];
  return [
    block('server', [
      ...renderListen(settings, settings.https.port, { isTls: true }),
      `server_name ${names.join(' ')};`,
      ...renderCertificate(certificate),
      ...renderHsts(settings),
      ...renderOnlyPage(settings, 'nobody', 404),
    ]),
  ];
}
