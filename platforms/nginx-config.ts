// The main file that nginx is told, as pure text, and the generation by which we know it again.

import path from 'node:path';
import { renderCookieMaps } from './nginx-cookies.ts';
import { renderCounts, renderLimits, workerConnectionsOf, WORKERS } from './nginx-limits.ts';
import { renderPanel } from './nginx-panel.ts';
import { renderPaths, renderRefererMap } from './nginx-paths.ts';
import { renderRequestMaps } from './nginx-proxy.ts';
import { controlSocketOf, errorLogOf, generationFileOf, type NginxSettings } from './nginx-settings.ts';
import { renderTlsDefaults, type CertificateFile } from './nginx-tls.ts';
import { block, checked, checkedNumber, quoted } from './nginx-words.ts';

/** What the door itself shows over https. */
export type DoorFiles = { readonly panel: CertificateFile | null; readonly paths: CertificateFile | null };

/** The generation: a server of its own on a Unix socket, where `$pid` lets us find workers that outlived their master; and its counts. */
export function renderGeneration(settings: NginxSettings, generation: string): string {
  const [socket, name] = [checked('socket', controlSocketOf(settings.layout)), checked('generation', generation)];
  return `${[
    ...renderCounts(settings, name),
    block('server', [
      `listen unix:${socket};`,
      // The maps of http{} ask for these also when there is no instance.
      'set $arboretum_own "";',
      'set $arboretum_prefix "";',
      `location = /.arboretum/generation { default_type text/plain; return 200 "$pid ${name}"; }`,
    ]),
  ].join('\n')}\n`;
}

/** The main file. @throws platform_failed when a path or name cannot be written safely */
export function renderMain(settings: NginxSettings, door: DoorFiles): string {
  const { layout } = settings;
  const openFiles = checkedNumber('limit of open files', settings.openFiles, 10_000_000);
  const temp = (kind: string): string => `${kind}_temp_path ${quoted(path.join(layout.nginxDir, 'temp', kind))};`;
  return `${[
    '# Written by Arboretum; changes by hand are overwritten.',
    ...(settings.workerUser === null ? [] : [`user ${checked('user', settings.workerUser)} ${settings.workerUser};`]),
    `worker_processes ${WORKERS};`,
    `worker_rlimit_nofile ${openFiles};`,
    `pid ${quoted(layout.nginxPid)};`,
    `error_log ${quoted(errorLogOf(layout))} warn;`,
    `events { worker_connections ${workerConnectionsOf(openFiles)}; }`,
  ].join('\n')}\n${block('http', [
    // An instance that is down would otherwise write a line for every participant's every reload.
    `error_log ${quoted(errorLogOf(layout))} alert;`,
    'access_log off;',
    'server_tokens off;',
    'default_type application/octet-stream;',
    'server_names_hash_max_size 8192;',
    'server_names_hash_bucket_size 512;',
    'variables_hash_max_size 4096;',
    'proxy_connect_timeout 5s;',
    // oTree keeps its session in a cookie: a large one must not read as "one moment".
    'proxy_buffer_size 32k;',
    'proxy_buffers 8 32k;',
    'proxy_max_temp_file_size 0;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(temp),
    ...renderRequestMaps(settings),
    ...renderRefererMap(settings),
    ...renderLimits(settings),
    ...(settings.https === null ? [] : renderTlsDefaults()),
    renderCookieMaps(),
    ...renderPanel(settings, door.panel),
    ...renderPaths(settings, door.paths),
    `include ${quoted(generationFileOf(layout))};`,
    `include ${quoted(layout.nginxSites, '/*.conf')};`,
  ])}\n`;
}
