// What Docker and Dokku read in a derived tree: the Dockerfile, app.json, and pip's configuration. Pure.

import type { Secret } from '../secret.ts';

export type TreeSettings = {
  /** Image that every release begins with; see `renderDockerfile`. */
  readonly baseImage: string;
  /** Where pip in the image's build finds packages; PyPI when left out. */
  readonly packageIndex?: {
    readonly indexUrl?: Secret;
    readonly extraIndexUrl?: Secret;
    /** Further certificate authorities (a PEM file of this machine), as behind an inspecting proxy. */
    readonly caFile?: string;
    readonly proxyUrl?: Secret;
  };
};

/** Folder of everything in the image: `launcher`, `project`, `venv`, `run`, `home`, `bots`. */
const TOP = '/app';
/** What runs experiments in the container; a number, because images have no account of that name. */
const USER = '10001:10001';
const PORT = 5000;

export type LauncherCommand = 'serve' | 'try' | 'describe' | 'resetdb' | 'bots' | 'rooms' | 'memory';

/** The words that run a launcher command inside the image, for `run` and `enter`; none of them is one that Dokku's splitter swallows. */
export const launcherWords = (command: LauncherCommand, ...more: readonly string[]): readonly string[] => [
  `${TOP}/venv/bin/python`,
  `${TOP}/launcher/start.py`,
  'container',
  command,
  ...more,
];

/**
 * The Dockerfile. The base image must have `/bin/sh`, `python3` 3.7 or newer with its module `venv`, no ENTRYPOINT, and
 * either `ensurepip` (as every `python:3.x` and Debian's `python3-venv` have) or pip 22.3 or newer (Debian 12's
 * `python3-pip`); git, when requirements name addresses of git; a compiler, when they need one.
 *
 * Packages come before launcher and project, so that Docker's cache answers for them when only the project changes.
 * `packages/` may hold the password of a package index: pip.conf is deleted in the RUN that uses it and no container
 * sees it, but the layer of its COPY keeps it, for those who can read images on the Dokku host.
 * @throws Error when the image's name cannot be one (Docker's reference grammar, less its upper bound)
 */
export function renderDockerfile(baseImage: string, { hasBotPackages }: { readonly hasBotPackages: boolean }): string {
  if (!/^[a-zA-Z0-9][\w.:/@-]*$/.test(baseImage)) throw new Error(`not the name of an image: ${JSON.stringify(baseImage)}`);
  const python = `${TOP}/venv/bin/python`;
  return [
    '# Made by Arboretum for each release: changes here are lost.',
    `FROM ${baseImage}`,
    `WORKDIR ${TOP}`,
    `COPY packages/ ${TOP}/packages/`,
    `RUN ${[
      // Debian without python3-venv cannot put pip into an environment; its own pip can.
      `( python3 -m venv ${TOP}/venv || { python3 -m venv --clear --without-pip ${TOP}/venv && python3 -m pip --python ${python} install pip; } )`,
      // The lock is complete. What pip would add on its own was not what was tried.
      `${python} -m pip install --no-deps --no-cache-dir --no-input --disable-pip-version-check --requirement ${TOP}/packages/requirements.lock`,
      `rm -r ${TOP}/packages`,
      `mkdir -m 0700 ${TOP}/run ${TOP}/home`,
      `chown ${USER} ${TOP}/run ${TOP}/home`,
    ]
      .join(' && ')
      .replace(/^/, `export PIP_CONFIG_FILE=${TOP}/packages/pip.conf && `)}`,
    `ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8 HOME=${TOP}/home USER=otree`,
    // What bots need stands beside the environment, where a running experiment does not see it (launcher/bots.py).
    ...(hasBotPackages ? [`COPY bots/ ${TOP}/bots/`] : []),
    `COPY launcher/ ${TOP}/launcher/`,
    `COPY project/ ${TOP}/project/`,
    `USER ${USER}`,
    `WORKDIR ${TOP}/project`,
    `EXPOSE ${PORT}`,
    `CMD ${JSON.stringify(launcherWords('serve'))}`,
    '',
  ].join('\n');
}

/**
 * Dokku's app.json: a new container takes over once oTree's `/login` answers 200, which it does without a sign-in. A start
 * may take 60 s (refused connections come back at once, so 30 attempts are 30 pauses); it is noticed after 2.
 * @see dokku 0.38 docs “Zero Downtime Deploy Checks”
 */
export const renderAppJson = (): string =>
  `${JSON.stringify({ healthchecks: { web: [{ type: 'startup', name: 'oTree answers', path: '/login', attempts: 30, wait: 2, timeout: 5 }] } }, null, 2)}\n`;

/** pip's configuration while the image is built. @throws Error when a value has more than one line */
export function renderPipConf({ indexUrl, extraIndexUrl, caFile, proxyUrl }: NonNullable<TreeSettings['packageIndex']>): string {
  const values = {
    'index-url': indexUrl?.open(),
    'extra-index-url': extraIndexUrl?.open(),
    cert: caFile === undefined ? undefined : `${TOP}/packages/ca.pem`,
    proxy: proxyUrl?.open(),
  };
  const lines = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name} = ${value}`]));
  if (lines.some((line) => /[\r\n]/.test(line))) throw new Error('a setting of the package index has more than one line');
  return `${['[global]', ...lines].join('\n')}\n`;
}
