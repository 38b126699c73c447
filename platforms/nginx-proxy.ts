// What every server shares: what is told to an upstream about the visitor, the stand-in pages, redirects, challenges.

import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { FrontDoorRoute } from './front-door.ts';
import { pageFileOf, type NginxSettings, type PageName } from './nginx-settings.ts';
import { block, checked, quoted } from './nginx-words.ts';

/**
 * Variables of a request; a proxy in front of us is believed only from the addresses that were named.
 *
 * `$arboretum_asked` is path and query as they were asked for, `$arboretum_below` the same without `$arboretum_prefix`: each
 * begins with a slash whatever was sent, so that what stands before it in a redirect stays the host.
 */
export function renderRequestMaps({ trustedProxies, hstsDays }: NginxSettings): readonly string[] {
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
    block('map $request_uri $arboretum_asked', ['"~^(?<arboretum_target>/.*)$" $arboretum_target;', 'default "/";']),
    block('map "$arboretum_prefix|$request_uri" $arboretum_below', [
      String.raw`"~^([^|]+)\|\1(?<arboretum_rest>/.*)$" $arboretum_rest;`,
      String.raw`"~^([^|]+)\|\1(?<arboretum_query>\?.*)$" "/$arboretum_query";`,
      'default "/";',
    ]),
    ...(hstsDays > 0 ? [block('map $arboretum_proto $arboretum_hsts', [`https "max-age=${Math.floor(hstsDays) * 86_400}";`, 'default "";'])] : []),
  ];
}

/** Only over https, and never for other names. nginx inherits no header into a place that adds one of its own. */
export const renderHsts = ({ hstsDays }: NginxSettings): readonly string[] =>
  hstsDays > 0 ? ['add_header Strict-Transport-Security $arboretum_hsts always;'] : [];

/** @param timeout how long an upstream may be silent */
export const renderProxy = (socket: string, cookieVariable: string, timeout: string): readonly string[] => [
  `proxy_pass http://unix:${checked('socket', socket)};`,
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
  // The setting decides: an experiment could bind a host that it shares with others for years.
  'proxy_hide_header Strict-Transport-Security;',
];

/** A stand-in page that only errors lead to. */
export function renderPage(settings: NginxSettings, page: PageName): string {
  return block(`location = /.arboretum/${page}.html`, [
    'internal;',
    `alias ${quoted(pageFileOf(settings.layout, page))};`,
    'default_type text/html;',
    'charset utf-8;',
    ...(page === 'nobody' ? [] : ['add_header Retry-After 5 always;']),
    'add_header Cache-Control no-store always;',
    `add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" always;`,
    ...renderHsts(settings),
  ]);
}

/** Where the worker's answers to an authority's questions lie: on every name of the plain port. */
export const renderChallenge = (settings: NginxSettings): string =>
  block('location ^~ /.well-known/acme-challenge/', [
    `alias ${quoted(path.join(settings.layout.acmeChallenges, '/'))};`,
    'default_type text/plain;',
    'add_header Cache-Control no-store always;',
  ]);

/** Everything is sent on. Never kept by browsers: addresses come and go. */
export const renderSendOn = (status: 307 | 308, address: string, rest: '$arboretum_asked' | '$arboretum_below' = '$arboretum_asked'): readonly string[] => [
  'add_header Cache-Control no-store always;',
  `return ${status} ${checked('address', address)}${rest};`,
];

/** A server that shows one page for everything. */
export const renderOnlyPage = (settings: NginxSettings, page: PageName, status: 404 | 503): readonly string[] => [
  `error_page ${status} /.arboretum/${page}.html;`,
  renderPage(settings, page),
  `location / { return ${status}; }`,
];

/** The page that stands in. @throws platform_failed for another word */
export function checkedPage(fallback: FrontDoorRoute['fallback']): PageName {
  if (['moment', 'waiting', 'stopped'].includes(fallback)) return fallback;
  throw new AppError('platform_failed', { reason: `there is no page ${JSON.stringify(fallback).slice(0, 40)}.` });
}
