// The Lobby's pages as HTML text: pure, every value escaped, no script, nothing from elsewhere.

import type { LegalPageName } from '../contracts/legal.ts';
import { legalLinks } from './legal-links.ts';
import { fill, languages, lobbyTexts, type Language, type LobbyTexts } from './lobby-texts.ts';

/** Text that is HTML already; everything else is escaped by `html`. */
export type Html = { readonly html: string };

/** How the visitor reads: language, and what links carry on (`?lang=de` when chosen by hand, else nothing). */
export type Reader = {
  readonly language: Language;
  readonly texts: LobbyTexts;
  readonly query: string;
  /** Legal pages that have a text. */
  readonly legalPages?: readonly LegalPageName[];
};

export type Page = {
  /** Small line above: instance and room. */
  readonly place: string;
  /** The large line. */
  readonly heading: string;
  readonly body: Html;
  /** Comes again by itself; without a url the same page. */
  readonly refresh?: { readonly seconds: number; readonly url: string };
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

type Value = string | number | Html | readonly Html[];
const toHtml = (value: Value): string => {
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return 'html' in value ? value.html : value.map((one) => one.html).join('\n');
};

/** Template tag: escapes every value except what `html` itself made. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html => ({
  html: parts.map((part, index) => (index < values.length ? part + toHtml(values[index] ?? '') : part)).join(''),
});

const nothing: Html = { html: '' };

/** The complete document. @param stylesheet address of lobby.css */
export function renderPage(page: Page, reader: Reader, stylesheet: string): string {
  const { texts } = reader;
  const refresh = page.refresh ? html`<meta http-equiv="refresh" content="${page.refresh.seconds};url=${page.refresh.url}" />` : nothing;
  return html`<!doctype html>
    <html lang="${reader.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        ${refresh}
        <title>${page.heading}${page.place === '' ? '' : ` · ${page.place}`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${stylesheet}" />
      </head>
      <body>
        <main>
          ${page.place === '' ? nothing : html`<p class="place">${page.place}</p>`}
          <h1>${page.heading}</h1>
          ${page.body}
        </main>
        <footer>
          <nav aria-label="${texts.languages}">${languages.map((language) => languageLink(language, reader.language))}</nav>
          <details>
            <summary>${texts.help}</summary>
            <p>${texts.helpText}</p>
          </details>
          ${legalLinks(reader.legalPages ?? [], reader.language).map(({ href, text }) => html`<a href="${href}">${text}</a>`)}
        </footer>
      </body>
    </html> `.html;
}

const languageLink = (language: Language, current: Language): Html =>
  language === current
    ? html`<span lang="${language}" aria-current="true">${lobbyTexts[language].language}</span>`
    : html`<a href="?lang=${language}" lang="${language}" hreflang="${language}">${lobbyTexts[language].language}</a>`;

/** The participant's page before the click: one sentence, one large button. */
export const readyBody = ({ texts }: Reader, action: string): Html =>
  html`<p>${texts.pleaseClick}</p>
    <form method="post" action="${action}"><button class="large">${texts.ready}</button></form>`;

/** After the click, while the experiment is not there yet or others go in first. */
export const waitingBody = ({ texts }: Reader, sentence: string): Html =>
  html`<p class="ready"><span aria-hidden="true">✓</span> ${texts.youAreReady}</p>
    <p role="status">${sentence}</p>`;

/** After the click, when the way is free. Browsers that do not go by themselves have the button. */
export const forwardBody = (reader: Reader, url: string): Html =>
  html`${waitingBody(reader, reader.texts.forwarding)} <a class="button large" href="${url}" rel="noreferrer">${reader.texts.goOn}</a>`;

/** All seats of a room with labels; free ones can be taken. */
export function seatsBody({ texts }: Reader, seats: { labels: readonly string[]; free: readonly string[]; action: string }): Html {
  const free = new Set(seats.free);
  if (free.size === 0)
    return html`<p role="status">${texts.roomFull} ${texts.askExperimenter}</p>
      ${seatList(texts, seats.labels, free)}`;
  return html`<p>${texts.chooseSeat}</p>
    <form method="post" action="${seats.action}">
      <button class="large">${texts.takeNext}</button>
      <p class="small">${texts.orChoose} ${fill(texts.freeCount, { number: free.size })}</p>
      ${seatList(texts, seats.labels, free)}
    </form>`;
}

const seatList = (texts: LobbyTexts, labels: readonly string[], free: ReadonlySet<string>): Html =>
  html`<ul class="seats">
    ${labels.map((label) =>
      free.has(label)
        ? html`<li>
            <button name="label" value="${label}">${label} <small>${texts.free}</small></button>
          </li>`
        : html`<li>
            <span>${label} <small>${texts.taken}</small></span>
          </li>`,
    )}
  </ul>`;

/** A room without labels: every computer gets the next number. */
export const numberBody = ({ texts }: Reader, action: string): Html =>
  html`<p>${texts.getNumber}</p>
    <form method="post" action="${action}"><button class="large">${texts.takeNumber}</button></form>`;

/** Links to choose from, one under the other. */
export const linksBody = (links: readonly { href: string; text: string }[]): Html =>
  html`<ul class="links">
    ${links.map(({ href, text }) => html`<li><a class="button" href="${href}">${text}</a></li>`)}
  </ul>`;

/** One sentence, and a way on where there is one. */
export const sentenceBody = (sentence: string, link?: { href: string; text: string }): Html =>
  html`<p>${sentence}</p>
    ${link ? html`<a class="button" href="${link.href}">${link.text}</a>` : nothing}`;
