// Which ports a firewall must let in, keep out and let out, for this panel as it is set.

import type { FirewallRule } from '../contracts/system-check.ts';
import type { NewAddressMode } from '../contracts/addresses.ts';
import type { Config } from './config.ts';
import { hostOf, isOnlyHere, publicPortOf } from './system-check-surroundings.ts';

/** What the rules depend on; `hasPorts`: some instance has a port of its own. */
export type Doors = { readonly config: Config; readonly mode: NewAddressMode; readonly hasPorts: boolean };

const rule = (way: FirewallRule['way'], ports: string, { what, why }: { what: string; why: string }): FirewallRule => ({
  id: `${way} ${ports}`,
  way,
  ports,
  what,
  why,
});

/** Of the other machine, where instances run on one; each names it beside its ports. */
function dokkuRules(config: Config, index = ''): Readonly<Record<FirewallRule['way'], readonly FirewallRule[]>> {
  const { PLATFORM, DOKKU_HOST: host, DOKKU_PORT: ssh, DOKKU_HTTP_PORT: web } = config;
  if (PLATFORM !== 'dokku') return { open: [], shut: [], out: [] };
  return {
    open: [
      rule('open', `${web}/tcp of ${host}`, {
        what: 'Experiments (nginx of the Dokku host)',
        why: `Browsers of participants, and the panel’s machine; each experiment is NAME.${config.DOKKU_DOMAIN} there.`,
      }),
    ],
    shut: [
      rule('shut', `${ssh}/tcp of ${host}`, {
        what: 'SSH of the Dokku host',
        why: 'Only the panel’s machine needs it, and your administrators; experimenters push to the panel.',
      }),
    ],
    out: [
      rule('out', `${ssh}/tcp, ${web}/tcp of ${host}`, {
        what: 'The Dokku host',
        why: 'The panel deploys there by SSH, and sees by HTTP whether an experiment answers.',
      }),
      rule('out', `443/tcp from ${host}`, {
        what: `${index}, registry-1.docker.io`,
        why: 'Builds there get Python packages and the images that they begin with.',
      }),
    ],
  };
}

/** Where browsers come without https, when the panel is on https. */
const plainPorts = ({ HTTPS_PORT, PORT, ACME_EMAIL }: Config): number[] => [
  ...new Set(HTTPS_PORT === undefined ? [80] : [...(ACME_EMAIL === undefined ? [] : [80]), PORT]),
];

/** Where the paths need a port that the panel does not use itself. */
function pathRules(config: Config): FirewallRule[] {
  if (config.pathUrl === null || config.PLATFORM === 'dokku') return [];
  const port = publicPortOf({ publicUrl: config.pathUrl });
  if (port === publicPortOf(config) || port === config.HTTPS_PORT) return [];
  return [rule('open', `${port}/tcp`, { what: 'Experiments with a path', why: `Browsers of participants, at ${config.pathUrl.href}.` })];
}

const rangeOf = ({ INSTANCE_PORTS: [first, last] }: Config): string => `${first}–${last}/tcp`;

function toOpen({ config, mode, hasPorts }: Doors): FirewallRule[] {
  const port = publicPortOf(config);
  const isHttps = config.publicUrl.protocol === 'https:';
  const isHere = config.PLATFORM !== 'dokku';
  const needsRange = isHere && (mode === 'port' || hasPorts);
  return [
    rule('open', `${[...new Set([port, config.HTTPS_PORT ?? port])].join(', ')}/tcp`, {
      what: isHere ? 'Panel, Lobby and experiments' : 'Panel and Lobby',
      why: 'Browsers of participants and experimenters: from everywhere for studies online, from the campus or the laboratory otherwise.',
    }),
    ...pathRules(config),
    ...(isHttps && (port === 443 || config.HTTPS_PORT !== undefined)
      ? [
          rule('open', `${plainPorts(config).join(', ')}/tcp`, {
            what: 'Redirect to https',
            why: config.ACME_EMAIL
              ? `From everywhere: the certificate authority calls port 80 of each name before it gives a certificate.${config.PORT === 80 ? '' : ` What comes to 80 must reach ${config.PORT} of this machine.`}`
              : 'Whoever types the address without https; some authorities check here before they give a certificate.',
          }),
        ]
      : []),
    rule('open', `${config.GIT_SSH_PORT}/tcp`, {
      what: 'git push (SSH)',
      why: 'Experimenters send their experiments; only from their networks, if you like. It takes git and nothing else.',
    }),
    ...(needsRange
      ? [rule('open', rangeOf(config), { what: 'Experiments, a port each', why: 'Browsers of participants, from the same places as the panel.' })]
      : []),
    ...dokkuRules(config).open,
  ];
}

function toShut({ config, mode, hasPorts }: Doors): FirewallRule[] {
  const isProxied = config.HTTPS_PORT === undefined && publicPortOf(config) !== config.PORT && !isOnlyHere(hostOf(config));
  const database =
    config.DATABASE_URL && !config.DATABASE_URL.open().includes('host=')
      ? 'Only this machine uses it.'
      : 'The panel’s own listens on no port; another one on the machine must not be reached.';
  return [
    rule('shut', '5432/tcp', { what: 'PostgreSQL', why: database }),
    rule('shut', '6379/tcp', { what: 'Redis', why: 'The panel’s own listens on no port; another one on the machine must not be reached.' }),
    ...(isProxied
      ? [
          rule('shut', `${config.PORT}/tcp`, {
            what: 'nginx of the panel',
            why: 'Browsers come through the proxy that holds the certificate; only it may reach this port.',
          }),
        ]
      : []),
    ...(isProxied && config.pathUrl !== null && config.PATH_PORT !== undefined && config.PATH_PORT !== publicPortOf({ publicUrl: config.pathUrl })
      ? [rule('shut', `${config.PATH_PORT}/tcp`, { what: 'nginx of the paths', why: 'As above: only the proxy may reach this port.' })]
      : []),
    ...dokkuRules(config).shut,
    ...(mode === 'port' || hasPorts || config.PLATFORM === 'dokku'
      ? []
      : [rule('shut', rangeOf(config), { what: 'Set aside for instances', why: 'Not used while each instance has a name or a path.' })]),
    rule('shut', 'all others', {
      what: 'Everything else',
      why: 'Nothing else is meant for the outside. Administrators’ SSH (22/tcp) only from their networks.',
    }),
  ];
}

/** Never the whole address: it may hold a password. */
const hostIn = (address: string): string => (URL.canParse(address) ? new URL(address).host : 'the package index');

function toLetOut({ config }: Doors): FirewallRule[] {
  const index = config.PIP_INDEX_URL ? hostIn(config.PIP_INDEX_URL) : 'pypi.org, files.pythonhosted.org';
  const mail = config.SMTP_URL ? new URL(config.SMTP_URL.open()) : null;
  const mailPort = Number(mail?.port) || (mail?.protocol === 'smtps:' ? 465 : 587);
  return [
    rule('out', '443/tcp', { what: index, why: 'Python packages that experiments name. A proxy (HTTPS_PROXY) will do.' }),
    rule('out', '80/tcp, 443/tcp', { what: 'Packages of the system', why: 'Installation and security updates.' }),
    rule('out', '53/udp, 53/tcp, 123/udp', { what: 'DNS and time', why: 'To the university’s own servers.' }),
    ...(config.ACME_EMAIL
      ? [
          rule('out', `443/tcp to ${hostIn(config.ACME_DIRECTORY_URL)}`, {
            what: 'The certificate authority (ACME)',
            why: 'The front door gets its certificates there and renews them.',
          }),
        ]
      : []),
    ...dokkuRules(config, index).out,
    ...(mail ? [rule('out', `${mailPort}/tcp`, { what: `Mail to ${mail.hostname}`, why: 'Invitations and links to new passwords.' })] : []),
  ];
}

/** In the order in which it is shown. */
export const firewallList = (doors: Doors): FirewallRule[] => [...toOpen(doors), ...toShut(doors), ...toLetOut(doors)];
