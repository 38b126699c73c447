// The settings: one table of everything that can be set, with unit, default and meaning. Who reads it: config.ts.

import { z } from 'zod';
import { count, idRange, networks, port, portRange, secret, secretUrl, setting } from './setting-kinds.ts';
import { swarmSettings } from './swarm-settings.ts';

/** Every setting with unit, default and meaning; `docs/configuration.md` is printed from it. */
export const settings = {
  PORT: setting(port.default(8080), 'port', '8080', 'Where browsers reach the panel and, by host name, the instances (nginx listens there).'),
  GIT_SSH_PORT: setting(port.default(2222), 'port', '2222', 'Where `git push` arrives (SSH).'),
  DATA_DIR: setting(
    z.string().optional(),
    'path',
    'as root `/var/lib/arboretum`, otherwise `./data`',
    'Everything that must survive: databases, repositories, releases, backups.',
  ),
  RUN_DIR: setting(
    z.string().optional(),
    'path',
    'as root `/run/arboretum`, otherwise under `$XDG_RUNTIME_DIR` or `/tmp`',
    'Sockets; short, because a socket’s path has at most 107 bytes.',
  ),
  PUBLIC_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'URL',
    '`http://localhost:PORT`',
    'The panel’s address as people type it. Instances get NAME.HOST where that resolves.',
  ),
  TRUSTED_PROXIES: setting(
    networks.optional(),
    'addresses',
    'this machine (`127.0.0.1,::1`) when PUBLIC_URL is https and HTTPS_PORT is unset, otherwise none',
    'Proxies in front of the panel whose X-Forwarded-Proto and X-Forwarded-For are believed; from everybody else they are ignored. See behind-a-proxy.md.',
  ),
  HTTPS_PORT: setting(
    port.optional(),
    'port',
    'none: encryption is left to a proxy in front',
    'Where the front door takes https by itself, with certificates from CERTIFICATES_DIR or by ACME; PORT then only sends browsers on. Usually 443, with PORT=80.',
  ),
  CERTIFICATES_DIR: setting(
    z.string().optional(),
    'path',
    '`DATA_DIR/certificates`',
    'Certificates that you have: pairs `NAME.pem` (or `.crt`) and `NAME.key`, or folders with `fullchain.pem` and `privkey.pem`. Looked at every minute.',
  ),
  ACME_EMAIL: setting(
    z.email().optional(),
    'e-mail',
    'none: no certificates by ACME',
    'Set: the panel gets a certificate for each name that has none (HTTP-01), renews it, and you agree to the authority’s terms.',
  ),
  ACME_DIRECTORY_URL: setting(
    z.url({ protocol: /^https$/ }).default('https://acme-v02.api.letsencrypt.org/directory'),
    'URL',
    'Let’s Encrypt',
    'The authority’s ACME directory.',
  ),
  ACME_CA_FILE: setting(z.string().optional(), 'path', 'the system’s', 'Certificate authorities for the connection to an authority of your own.'),
  HSTS_DAYS: setting(
    z.coerce.number().int().min(0).max(730).default(0),
    'days',
    '0: not sent',
    'How long browsers shall insist on https (Strict-Transport-Security), on the panel and on instances. It cannot be taken back, and holds for every port of the name.',
  ),
  ADDRESS_MODE: setting(
    z.enum(['auto', 'subdomain', 'port', 'path']).default('auto'),
    'word',
    'auto',
    'How new instances are reached. `subdomain`: NAME.HOST; `port`: a port per instance; `path`: PATH_URL/NAME; `auto`: sub-domains where they resolve to this machine, else ports. See addresses.md.',
  ),
  PATH_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'URL',
    'none: no mode `path`',
    'One address for all instances in mode `path`, for example `https://HOST/otree`. It must have another host name or port than the panel.',
  ),
  PATH_PORT: setting(
    port.optional(),
    'port',
    'the panel’s own ports, told apart by host name',
    'A port of its own for PATH_URL; needed where it has the panel’s host name.',
  ),
  INSTANCE_PORTS: setting(portRange.default([10_001, 10_999]), 'ports', '10001-10999', 'Ports for instances in mode `port`.'),
  PLATFORM: setting(
    z.enum(['local', 'swarm', 'dokku']).default('local'),
    'word',
    'what was chosen in the page, otherwise `local`',
    'Where new instances run: `local`, on this machine; `swarm`, in containers of this machine’s Docker Engine; `dokku`, on a Dokku host. Given, it decides over the page.',
  ),
  DOCKER_SOCKET: setting(
    z.string().startsWith('/', 'a path that begins with /').default('/var/run/docker.sock'),
    'path',
    '/var/run/docker.sock',
    'Where the Docker Engine (20.10 or later) answers, for the platform `swarm` and for instances that are moved there. Only the worker uses it.',
  ),
  ...swarmSettings,
  DOKKU_HOST: setting(
    z.string().optional(),
    'host name',
    'none',
    'The Dokku host (0.30 or later, with its plugin postgres). Needed with PLATFORM=dokku, as DOKKU_DOMAIN is.',
  ),
  DOKKU_PORT: setting(port.default(22), 'port', '22', 'Where its SSH answers.'),
  DOKKU_USER: setting(z.string().default('dokku'), 'word', 'dokku', 'Who signs in there.'),
  DOKKU_KEY_FILE: setting(
    z.string().optional(),
    'path',
    'DATA_DIR/dokku/id_ed25519, made at the first start',
    'The panel’s private key. As root on the host: `dokku ssh-keys:add arboretum` with the content of the `.pub` file beside it.',
  ),
  DOKKU_HOST_KEY: setting(
    z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'a fingerprint like SHA256:…')
      .optional(),
    'fingerprint',
    'the first one that is seen is kept',
    'The key that the host must show, as `ssh-keygen -lf` prints it.',
  ),
  DOKKU_HTTP_PORT: setting(port.default(80), 'port', '80', 'Where its nginx answers.'),
  DOKKU_HTTPS_PORT: setting(port.default(443), 'port', '443', 'Where its nginx answers over https, for instances with a certificate.'),
  DOKKU_LETSENCRYPT_EMAIL: setting(
    z.email().optional(),
    'e-mail',
    'none: the plugin letsencrypt is not used',
    'Set: an instance without a certificate gets one by the plugin letsencrypt of the Dokku host, and you agree to the authority’s terms.',
  ),
  DOKKU_DOMAIN: setting(
    z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'a domain name in small letters')
      .optional(),
    'domain',
    'none',
    'Participants reach an instance as NAME.DOMAIN; every name under it must lead to the Dokku host.',
  ),
  DOKKU_BASE_IMAGE: setting(
    z.string().default('python:3.11-slim-bookworm'),
    'image',
    'python:3.11-slim-bookworm',
    'What the images of experiments begin with.',
  ),
  DOKKU_PYTHON: setting(
    z
      .string()
      .regex(/^3\.\d+$/, 'two numbers, for example 3.11')
      .default('3.11'),
    'version',
    '3.11',
    'The Python in that image.',
  ),
  DATABASE_URL: setting(
    secretUrl(/^postgres(ql)?$/, 'postgresql://USER:PASSWORD@HOST:5432/DATABASE, with # / ? @ of a password as %23 %2F %3F %40').optional(),
    'URL',
    'the panel starts its own PostgreSQL',
    'A PostgreSQL (≥ 13) role with CREATEDB and CREATEROLE; instances’ databases are made on the same server.',
  ),
  REDIS_URL: setting(
    secretUrl(/^rediss?$/, 'redis://:PASSWORD@HOST:6379 or rediss://…').optional(),
    'URL',
    'the panel starts its own Redis',
    'A Redis with `maxmemory-policy noeviction`.',
  ),
  REDIS_SOCKET: setting(z.string().optional(), 'path', 'set by `npm start`', 'Unix socket of the panel’s own Redis.'),
  REDIS_PASSWORD: setting(secret.optional(), 'text', 'set by `npm start`', 'Password of the panel’s own Redis.'),
  ARBORETUM_SECRET_KEY: setting(
    secret.optional(),
    'base64, 32 bytes',
    'DATA_DIR/secret.key, made at the first start',
    'Seals passwords in the database. Lost: the sealed passwords are lost.',
  ),
  ARBORETUM_ADMIN_EMAIL: setting(z.email().optional(), 'e-mail', 'a one-time link is printed instead', 'First manager, made when there is none.'),
  ARBORETUM_ADMIN_PASSWORD: setting(secret.optional(), 'text, ≥ 10 characters', '', 'Password of that first manager.'),
  INSTANCE_USER_IDS: setting(
    idRange.default([200_000, 209_999]),
    'user ids',
    '200000-209999',
    'As root: operating-system user ids of instances. Two panels on one machine need ranges of their own.',
  ),
  INSTANCE_MEMORY_MIB: setting(count.default(2048), 'MiB', '2048', 'Memory an instance may use.'),
  INSTANCE_DISK_MIB: setting(count.default(2048), 'MiB', '2048', 'Disk an instance may fill with files of its own.'),
  INSTANCE_PROCESSES: setting(count.default(200), 'count', '200', 'Processes and threads an instance may have.'),
  MAX_PUSH_MIB: setting(count.default(200), 'MiB', '200', 'Largest `git push`.'),
  MAX_UPLOAD_MIB: setting(count.default(50), 'MiB', '50', 'Largest request that a participant may send.'),
  UPLOAD_MAX_MIB: setting(count.default(200), 'MiB', '200', 'Largest archive (`.zip`, `.otreezip`, `.tar.gz`) that is deployed through the page.'),
  KEEP_RELEASES: setting(count.default(5), 'count', '5', 'Built releases kept per instance.'),
  KEEP_BACKUPS: setting(count.default(10), 'count', '10', 'Automatic backups kept per instance (never the newest verified one).'),
  KEEP_BACKUP_DAYS: setting(
    count.default(365),
    'days',
    '365',
    'How long automatic backups are kept (never the newest verified one); those taken by hand stay until somebody deletes them.',
  ),
  KEEP_DELETED_DAYS: setting(count.default(30), 'days', '30', 'How long the last backup of a deleted instance is kept.'),
  PIP_INDEX_URL: setting(z.string().optional(), 'URL', 'PyPI', 'Package index for builds.'),
  PIP_EXTRA_INDEX_URL: setting(z.string().optional(), 'URL', 'none', 'A further package index.'),
  PIP_CERT: setting(z.string().optional(), 'path', 'the system’s', 'Certificate authorities for the package index.'),
  POSTGRES_BIN: setting(z.string().optional(), 'path', 'set by `npm start`', 'Folder of `pg_dump` and `pg_restore`; they must not be older than the server.'),
  PYTHON: setting(z.string().default('/usr/bin/python3'), 'path', '/usr/bin/python3', 'The Python that experiments run on.'),
  NGINX: setting(z.string().default('nginx'), 'path', 'nginx', 'The nginx of the front door.'),
  NGINX_KEPT: setting(
    z.enum(['here', 'apart']).default('here'),
    'word',
    'here',
    'Who runs that nginx: `here`, the panel; `apart`, a container of its own, as docker-compose.yml sets it.',
  ),
  SMTP_URL: setting(
    secretUrl(/^smtps?$/, 'smtp://USER:PASSWORD@HOST:587 or smtps://…').optional(),
    'URL',
    'none: no mails',
    'The mail server, `smtp://USER:PASSWORD@HOST:587` (STARTTLS) or `smtps://…`; signs in `:` and `@` of a password as `%3A` and `%40`. Needs MAIL_FROM and PUBLIC_URL.',
  ),
  MAIL_FROM: setting(
    z.string().regex(/@/, 'an address like lab@example.org or “The lab <lab@example.org>”').optional(),
    'e-mail',
    'none',
    'Sender of the panel’s mails.',
  ),
  LOG_LEVEL: setting(z.enum(['debug', 'info', 'warn', 'error']).default('info'), 'word', 'info', 'How much the panel writes into its own log.'),
} as const;

/** `docs/configuration.md`, printed from the table. */
export function configurationPage(): string {
  const rows = Object.entries(settings).map(([name, { unit, fallback, meaning }]) => `| \`${name}\` | ${unit} | ${fallback} | ${meaning} |`);
  return [
    '# Settings',
    '',
    'Environment variables, read once at the start. This page is printed from `domain/settings.ts`.',
    '',
    '| name | unit | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
