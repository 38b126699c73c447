// What nginx is told, as pure text: the main file with the panel's server, one file per instance, the generation.

import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { FrontDoorRoute, RouteAddress } from './front-door.ts';
import type { Layout } from './layout.ts';
import { renderCookieMaps, renderCookieSpoilers } from './nginx-cookies.ts';

/** Everything the configuration depends on besides the routes. */
export type NginxSettings = {
  readonly layout: Layout;
  readonly listenPort: number;
  /** Names of the panel; other names below them are answered with "no experiment at this address". */
  readonly panelHostNames: readonly string[];
  /** User and group of nginx's workers; null when not started as root. */
  readonly workerUser: string | null;
  readonly trustedProxies: readonly string[];
  readonly maxPanelBodyMib: number;
  readonly hasIpv6: boolean;
  /** nginx ≥ 1.19.3. */
  readonly canEditCookieFlags: boolean;
  /** How many files and sockets one nginx process may have open. */
  readonly openFiles: number;
};

/** The static pages, served from a copy below `nginxDir`, because nginx's user may not read the program's own tree. */
export const pageNames = ['moment', 'waiting', 'stopped', 'nobody'] as const;
export type PageName = (typeof pageNames)[number];

export const pagesDirOf = (layout: Layout): string => path.join(layout.nginxDir, 'pages');
export const generationFileOf = (layout: Layout): string => path.join(layout.nginxDir, 'generation.conf');
export const errorLogOf = (layout: Layout): string => path.join(layout.logsDir, 'nginx.log');
/** Unix socket on which nginx tells its generation. */
export const controlSocketOf = (layout: Layout): string => path.join(layout.runDir, 'nginx.sock');
export const siteFileOf = (layout: Layout, instanceId: string): string => path.join(layout.nginxSites, `${checked('instance id', instanceId)}.conf`);

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const patterns = {
  'instance id': /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  'host name': new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`),
  'path prefix': /^(?=.{2,200}$)(?:\/[a-z0-9][a-z0-9-]*)+$/,
  'cookie name': /^(?!arboretum$)[A-Za-z][A-Za-z0-9_-]{0,63}$/,
  socket: /^(?=.{2,107}$)\/[A-Za-z0-9_./-]+$/,
  // Quoted where it is used; what is special inside quotes or to `include` is refused.
  path: /^\/[^\p{Cc}"'\\$;{}#*?[\]]+$/u,
  network: /^[0-9A-Fa-f.:]{2,45}(?:\/\d{1,3})?$/,
  user: /^[a-z_][a-z0-9_-]{0,31}$/,
  generation: /^[a-z0-9-]{1,80}$/,
} as const;

function checked(what: keyof typeof patterns, value: string): string {
  if (typeof value === 'string' && patterns[what].test(value)) return value;
  throw new AppError('platform_failed', { reason: `the front door cannot use this ${what}: ${JSON.stringify(value).slice(0, 80)}.` });
}

function checkedNumber(what: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new AppError('platform_failed', { reason: `the front door cannot use this ${what}: ${String(value).slice(0, 40)}.` });
}

/** What an address takes for itself alone: `port:8123`, `host:trust.lab.example.org` or `path:/otree/trust`. */
export function claimOf(address: RouteAddress): string {
  if (address.mode === 'port') return `port:${checkedNumber('port', address.port, 65_535)}`;
  return address.mode === 'name' ? `host:${checked('host name', address.hostName)}` : `path:${checked('path prefix', address.prefix)}`;
}

/** The claim that a rendered site was written for, read back from its first line; null when the file is not ours. */
export const claimOfSite = (site: string): string | null => /^# arboretum route ((?:port|host|path):[a-z0-9./-]+)\n/.exec(site)?.[1] ?? null;

/** One instance's file. @throws platform_failed when a value could mean something to nginx */
export function renderSite(settings: NginxSettings, route: FrontDoorRoute): string {
  const port = route.address.mode === 'port' ? checkedNumber('port', route.address.port, 65_535) : settings.listenPort;
  const socket = route.upstreamSocket === null ? null : checked('socket', route.upstreamSocket);
  return `${block(`# arboretum route ${claimOf(route.address)}\nserver`, [
    ...renderListen(settings, port, ''),
    `server_name ${route.address.mode === 'name' ? checked('host name', route.address.hostName) : '_'};`,
    `client_max_body_size ${checkedNumber('body limit', route.maxBodyMib, 100_000)}m;`,
    `set $arboretum_own ${checked('cookie name', route.cookieName)};`,
    `error_page 502 503 504 =503 /.arboretum/${checkedPage(route.fallback)}.html;`,
    ...renderPage(settings, checkedPage(route.fallback)),
    socket === null
      ? 'location / { return 503; }'
      : block('location /', [...renderProxy(socket, '$arboretum_instance_cookie', '1h'), ...renderCookieSpoilers(settings.canEditCookieFlags)]),
  ])}\n`;
}

/** The generation: a server of its own on a Unix socket; `$pid` lets us find workers that outlived their master. */
export function renderGeneration(settings: NginxSettings, generation: string): string {
  const socket = checked('socket', controlSocketOf(settings.layout));
  return `${block('server', [`listen unix:${socket};`, `location = /.arboretum/generation { default_type text/plain; return 200 "$pid ${checked('generation', generation)}"; }`])}\n`;
}

/** The main file. @throws platform_failed when a path or name cannot be written safely */
export function renderMain(settings: NginxSettings): string {
  const { layout } = settings;
  const openFiles = checkedNumber('limit of open files', settings.openFiles, 10_000_000);
  const temp = (kind: string): string => `${kind}_temp_path ${quoted(path.join(layout.nginxDir, 'temp', kind))};`;
  return `${[
    '# Written by Arboretum; changes by hand are overwritten.',
    ...(settings.workerUser === null ? [] : [`user ${checked('user', settings.workerUser)} ${settings.workerUser};`]),
    // Two, not one per core: 18 µs a request, and each reload leaves as many old workers while websockets last.
    'worker_processes 2;',
    `worker_rlimit_nofile ${openFiles};`,
    `pid ${quoted(layout.nginxPid)};`,
    `error_log ${quoted(errorLogOf(layout))} warn;`,
    `events { worker_connections ${Math.max(64, Math.floor(openFiles / 2))}; }`,
  ].join('\n')}\n${block('http', [
    // An instance that is down would otherwise write a line for every participant's every reload.
    `error_log ${quoted(errorLogOf(layout))} alert;`,
    'access_log off;',
    'server_tokens off;',
    'default_type application/octet-stream;',
    'server_names_hash_max_size 8192;',
    'server_names_hash_bucket_size 512;',
    'variables_hash_max_size 4096;',
    'client_header_timeout 30s;',
    'client_body_timeout 30s;',
    'client_body_buffer_size 128k;',
    'large_client_header_buffers 4 32k;',
    'proxy_connect_timeout 5s;',
    // oTree keeps its session in a cookie: a large one must not read as "one moment".
    'proxy_buffer_size 32k;',
    'proxy_buffers 8 32k;',
    'proxy_max_temp_file_size 0;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(temp),
    ...renderRequestMaps(settings.trustedProxies),
    renderCookieMaps(),
    renderPanel(settings),
    ...renderNobody(settings),
    `include ${quoted(generationFileOf(layout))};`,
    `include ${quoted(layout.nginxSites, '/*.conf')};`,
  ])}\n`;
}

function renderPanel(settings: NginxSettings): string {
  const socket = checked('socket', settings.layout.serverSocket);
  const proxy = (timeout: string): readonly string[] => renderProxy(socket, '$arboretum_panel_cookie', timeout);
  const away = 'error_page 502 504 =503 /.arboretum/away.json;';
  return block('server', [
    ...renderListen(settings, settings.listenPort, ' default_server'),
    `server_name ${['_', ...settings.panelHostNames.map((name) => checked('host name', name))].join(' ')};`,
    `client_max_body_size ${checkedNumber('body limit', settings.maxPanelBodyMib, 100_000)}m;`,
    // The maps of http{} ask for it also when there is no instance.
    'set $arboretum_own "";',
    'error_page 502 504 =503 /.arboretum/moment.html;',
    ...renderPage(settings, 'moment'),
    block('location = /.arboretum/away.json', [
      'internal;',
      'default_type application/problem+json;',
      'add_header Retry-After 3 always;',
      'add_header Cache-Control no-store always;',
      `return 503 '{"type":"about:blank","title":"The panel does not answer just now.","status":503,"code":"service_unavailable","hint":"Try again in a few seconds.","requestId":"$request_id"}';`,
    ]),
    block('location ^~ /api/', [away, ...proxy('5m')]),
    block('location ^~ /socket.io/', [away, ...proxy('1h')]),
    block('location /', proxy('5m')),
  ]);
}

function renderNobody(settings: NginxSettings): readonly string[] {
  const names = settings.panelHostNames.filter((name) => !/^[\d.]+$/.test(name)).map((name) => `*.${checked('host name', name)}`);
  if (names.length === 0) return [];
  return [
    block('server', [
      ...renderListen(settings, settings.listenPort, ''),
      `server_name ${names.join(' ')};`,
      'error_page 404 /.arboretum/nobody.html;',
      ...renderPage(settings, 'nobody'),
      'location / { return 404; }',
    ]),
  ];
}

/** What is told about the visitor; a proxy in front of us is believed only from the addresses that were named. */
function renderRequestMaps(trustedProxies: readonly string[]): readonly string[] {
  return [
    block('geo $arboretum_is_proxy', ['default 0;', ...trustedProxies.map((network) => `${checked('network', network)} 1;`)]),
    block('map $http_upgrade $arboretum_upgrade', ['"~*^websocket$" websocket;', 'default "";']),
    block('map $http_upgrade $arboretum_connection', ['"~*^websocket$" upgrade;', 'default close;']),
    block('map "$arboretum_is_proxy|$http_x_forwarded_proto" $arboretum_proto', [
      String.raw`"~^1\|(?<arboretum_given_proto>https?)$" $arboretum_given_proto;`,
      'default $scheme;',
    ]),
    block('map "$arboretum_is_proxy|$http_x_forwarded_for" $arboretum_client', [
      String.raw`"~^1\|(?:.*,)?\s*(?<arboretum_given_client>[0-9A-Fa-f.:]+)\s*$" $arboretum_given_client;`,
      'default $remote_addr;',
    ]),
  ];
}

const renderProxy = (socket: string, cookieVariable: string, timeout: string): readonly string[] => [
  `proxy_pass http://unix:${socket};`,
  'proxy_http_version 1.1;',
  'proxy_request_buffering on;',
  `proxy_read_timeout ${timeout};`,
  `proxy_send_timeout ${timeout};`,
  'proxy_set_header Host $http_host;',
  'proxy_set_header X-Forwarded-Host $http_host;',
  'proxy_set_header X-Forwarded-For $arboretum_client;',
  'proxy_set_header X-Real-IP $arboretum_client;',
  'proxy_set_header X-Forwarded-Proto $arboretum_proto;',
  'proxy_set_header Forwarded "";',
  'proxy_set_header Upgrade $arboretum_upgrade;',
  'proxy_set_header Connection $arboretum_connection;',
  `proxy_set_header Cookie ${cookieVariable};`,
];

function renderPage(settings: NginxSettings, page: PageName): readonly string[] {
  return [
    block(`location = /.arboretum/${page}.html`, [
      'internal;',
      `alias ${quoted(path.join(pagesDirOf(settings.layout), `${page}.html`))};`,
      'default_type text/html;',
      'charset utf-8;',
      ...(page === 'nobody' ? [] : ['add_header Retry-After 5 always;']),
      'add_header Cache-Control no-store always;',
      `add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" always;`,
    ]),
  ];
}

const renderListen = (settings: NginxSettings, port: number, suffix: string): readonly string[] => [
  `listen 0.0.0.0:${checkedNumber('port', port, 65_535)}${suffix};`,
  ...(settings.hasIpv6 ? [`listen [::]:${port}${suffix};`] : []),
];

function checkedPage(fallback: FrontDoorRoute['fallback']): PageName {
  if (['moment', 'waiting', 'stopped'].includes(fallback)) return fallback;
  throw new AppError('platform_failed', { reason: `there is no page ${JSON.stringify(fallback).slice(0, 40)}.` });
}

const quoted = (file: string, glob = ''): string => `"${checked('path', file)}${glob}"`;

const block = (head: string, lines: readonly string[]): string =>
  `${head} {\n${lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `  ${line}`)
    .join('\n')}\n}`;
