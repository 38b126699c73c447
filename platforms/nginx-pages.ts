// The pages that nginx shows where no experiment answers: plain HTML without anything to load.

import type { PageName } from './nginx-settings.ts';

type Words = {
  /** Colour of the line at its side, by day and by night. */
  readonly mark: { readonly light: string; readonly dark: string };
  /** After how long a browser without scripts looks again; one with scripts does within 0.8 of it. Null: it does not. */
  readonly reloadSeconds: number | null;
  readonly title: string;
  /** Unset: the title. */
  readonly heading?: string;
  readonly text: string;
  readonly more?: string;
  readonly german: string;
  readonly french: string;
};

const amber = { light: '#9a5b00', dark: '#e8b05a' };
const stone = { light: '#5c6660', dark: '#a9b4ad' };
const blue = { light: '#1f6394', dark: '#8cc4ee' };

const pages: Readonly<Record<PageName, Words>> = {
  busy: {
    mark: amber,
    reloadSeconds: 15,
    title: 'Too many connections',
    heading: 'Too many connections from your address',
    text: 'All computers behind your network’s address together have more connections open here than are allowed. Close pages that you do not need; this one tries again by itself.',
    german: 'Von Ihrer Adresse kommen zu viele Verbindungen. Diese Seite versucht es gleich noch einmal.',
    french: 'Trop de connexions viennent de votre adresse. Cette page réessaie d’elle-même.',
  },
  certificate: {
    mark: amber,
    reloadSeconds: 15,
    title: 'The certificate is on its way',
    heading: 'The certificate of this address is on its way',
    text: 'It is what lets browsers talk to this address safely. Usually it takes less than a minute; this page looks again by itself.',
    more: 'If it lasts: whoever runs this site sees the reason on the page System, or with <code>npm run system-check</code>.',
    german: 'Das Zertifikat dieser Adresse wird gerade ausgestellt.',
    french: 'Le certificat de cette adresse est en cours de délivrance.',
  },
  moment: {
    mark: blue,
    reloadSeconds: 5,
    title: 'One moment…',
    text: 'This page comes back by itself; please leave it open. Should it come back with an empty form, fill it in once more.',
    german: 'Einen Moment bitte: Diese Seite kommt von selbst wieder.',
    french: 'Un instant : cette page revient d’elle-même.',
  },
  nobody: {
    mark: stone,
    reloadSeconds: null,
    title: 'There is no experiment at this address',
    text: 'Check the address, or ask the experimenter for the right one.',
    german: 'Unter dieser Adresse gibt es kein Experiment.',
    french: 'Il n’y a pas d’expérience à cette adresse.',
  },
  stopped: {
    mark: stone,
    reloadSeconds: 30,
    title: 'This experiment is stopped',
    text: 'If you should take part now, ask the experimenter. The page comes back when the experiment is started.',
    german: 'Dieses Experiment ist angehalten. Fragen Sie die Versuchsleitung.',
    french: 'Cette expérience est arrêtée. Adressez-vous à la personne responsable.',
  },
  waiting: {
    mark: amber,
    reloadSeconds: 15,
    title: 'No experiment here yet',
    text: 'This address waits for its project. As soon as it has been pushed, the experiment appears here.',
    german: 'Hier gibt es noch kein Experiment.',
    french: 'Il n’y a pas encore d’expérience ici.',
  },
};

/** The whole page. */
export function renderStaticPage(name: PageName): string {
  const page = pages[name];
  const { mark, reloadSeconds, title } = page;
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    '<meta name="color-scheme" content="light dark">',
    ...(reloadSeconds === null ? [] : [`<meta http-equiv="refresh" content="${reloadSeconds}">`]),
    `<title>${title}</title>`,
    '<style>',
    `:root { --paper: #f7f6f1; --ink: #1f2a24; --stone: ${stone.light}; --mark: ${mark.light}; }`,
    `@media (prefers-color-scheme: dark) { :root { --paper: #141a17; --ink: #e6ece8; --stone: ${stone.dark}; --mark: ${mark.dark}; } }`,
    ...rules,
    '</style>',
    '</head>',
    '<body>',
    '<main>',
    `<h1>${page.heading ?? title}</h1>`,
    `<p>${page.text}</p>`,
    ...(page.more === undefined ? [] : [`<p class="small">${page.more}</p>`]),
    `<p class="small" lang="de">${page.german}</p>`,
    `<p class="small" lang="fr">${page.french}</p>`,
    '</main>',
    ...(reloadSeconds === null ? [] : renderReload(reloadSeconds)),
    '</body>',
    '</html>',
  ];
  return `${lines.join('\n')}\n`;
}

const rules = [
  'html { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }',
  'body { margin: 0; min-height: 100vh; display: grid; place-items: center; }',
  'main { max-width: 30rem; padding: 2rem; border-left: 4px solid var(--mark); }',
  'h1 { margin: 0 0 .5rem; font-size: 1.6rem; font-weight: 600; line-height: 1.25; }',
  'p { margin: 0 0 .75rem; }',
  '.small { margin: 0; color: var(--stone); font-size: .9rem; }',
];

const renderReload = (seconds: number): readonly string[] => [
  '<script>',
  '// A fresh GET, also after a form was sent; spread out, so that a whole lab does not come back in one instant.',
  `setTimeout(function () { location.replace(location.origin + location.pathname + location.search); }, ${seconds * 500} + Math.random() * ${seconds * 300});`,
  '</script>',
];
