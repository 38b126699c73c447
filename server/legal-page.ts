// Imprint and privacy as pages for everybody: rendered here, without script, from the managers' Markdown.

import express, { type Router } from 'express';
import MarkdownIt from 'markdown-it';
import { AppError } from '../contracts/errors.ts';
import { legalPageNames, type LegalPageName } from '../contracts/legal.ts';
import type { Context } from '../domain/context.ts';
import { readLegalText } from '../domain/legal.ts';
import { escapeHtml } from './html.ts';
import { plainCss, plainPage } from './plain-page.ts';

const titles: Readonly<Record<LegalPageName, string>> = { imprint: 'Imprint', privacy: 'Privacy' };

/** HTML in the text is shown, never used; no pictures (they would tell another server who reads). */
const markdown = new MarkdownIt({ html: false, linkify: true }).disable('image');
markdown.validateLink = (url) => /^(https?:|mailto:)/i.test(url.trim());

/** The text as HTML: links lead to http, https and mailto only. */
export const renderMarkdown = (text: string): string => markdown.render(text);

/** Mount it at `/legal`, before anything that asks for a sign-in. */
export function legalRouter(ctx: Pick<Context, 'db'>): Router {
  const router = express.Router();
  router.get('/legal.css', (_request, response) => {
    response.set({ 'Cache-Control': 'public, max-age=3600', 'X-Content-Type-Options': 'nosniff' }).type('css').send(plainCss);
  });
  router.get('/:page', async (request, response) => {
    const name = legalPageNames.find((one) => one === request.params['page']);
    const { text } = name ? await readLegalText(ctx, name) : { text: '' };
    if (!name || text.trim() === '') throw new AppError('not_found');
    response.set({
      'Content-Security-Policy': "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
      'Cache-Control': 'no-cache',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    response.type('html').send(renderLegalPage(titles[name], text));
  });
  return router;
}

const renderLegalPage = (title: string, text: string): string =>
  plainPage({ title, css: '/legal/legal.css', body: `${/^#\s/m.test(text) ? '' : `<h1>${escapeHtml(title)}</h1>`}\n${renderMarkdown(text)}` });
