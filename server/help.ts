// The help inside the panel: the same Markdown that lies in docs/, for everybody, without scripts.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import express, { Router } from 'express';
import MarkdownIt from 'markdown-it';
import { AppError } from '../contracts/errors.ts';
import { escapeHtml } from './html.ts';
import { plainCss, plainPage } from './plain-page.ts';

const docsDir = path.join(import.meta.dirname, '..', 'docs');

/** Name in the address, file in docs/, what the link says. */
const pages = [
  { name: 'experimenter', file: 'guide-experimenter.md', label: 'Experimenters' },
  { name: 'manager', file: 'guide-manager.md', label: 'Lab managers' },
  { name: 'prolific', file: 'prolific.md', label: 'Prolific' },
  { name: 'mturk', file: 'mturk.md', label: 'MTurk' },
  { name: 'preflight', file: 'preflight.md', label: 'Ready for participants?' },
  { name: 'participant', file: 'guide-participant.md', label: 'Participants' },
  { name: 'glossary', file: 'glossary.md', label: 'Glossary' },
  { name: 'rights', file: 'rights.md', label: 'Who may do what' },
  { name: 'running', file: 'running.md', label: 'Running the panel' },
  { name: 'swarm', file: 'swarm.md', label: 'Instances in containers' },
  { name: 'compose', file: 'compose.md', label: 'With Docker Compose' },
  { name: 'dokku', file: 'dokku.md', label: 'In front of a Dokku host' },
  { name: 'system-check', file: 'system-check.md', label: 'System check' },
  { name: 'addresses', file: 'addresses.md', label: 'Addresses' },
  { name: 'behind-a-proxy', file: 'behind-a-proxy.md', label: 'Behind a proxy' },
  { name: 'certificates', file: 'certificates.md', label: 'Certificates' },
  { name: 'configuration', file: 'configuration.md', label: 'Settings' },
] as const;

/** `/help`, `/help/NAME`; a heading “Auth level” has the anchor `#auth-level`. */
export function helpRouter(): Router {
  const router = Router();
  router.get('/', (_request, response) => response.redirect('/help/experimenter'));
  router.get('/help.css', (_request, response) => void response.type('css').set('Cache-Control', 'max-age=3600').send(plainCss));
  router.use('/images', express.static(path.join(docsDir, 'images'), { index: false, maxAge: 3_600_000 }), (_request, _response, next) =>
    next(new AppError('not_found')),
  );
  router.get('/:name', (request, response, next) => {
    const page = pages.find(({ name }) => name === request.params.name);
    if (!page) return next(new AppError('not_found'));
    readFile(path.join(docsDir, page.file), 'utf8').then((text) => void response.type('html').send(show(page.name, text)), next);
  });
  return router;
}

function show(name: string, text: string): string {
  const links = pages.map((page) => ({ href: `/help/${page.name}`, label: page.label, isHere: page.name === name }));
  return plainPage({ title: /^# (.+)$/m.exec(text)?.[1] ?? 'Help', css: '/help/help.css', body: markdown.render(text), links });
}

const markdown = new MarkdownIt({ html: false });

/** As GitHub does it, so that a link works in both places. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

// The parameters of a rule of markdown-it.
// oxlint-disable-next-line max-params
markdown.renderer.rules['heading_open'] = (tokens, index, options, _env, self) => {
  tokens[index]?.attrSet('id', anchorOf(tokens[index + 1]?.content ?? ''));
  return self.renderToken(tokens, index, options);
};
// oxlint-disable-next-line max-params
markdown.renderer.rules['link_open'] = (tokens, index, options, _env, self) => {
  const href = String(tokens[index]?.attrGet('href') ?? '');
  const [file, anchor] = href.split('#');
  const page = pages.find((one) => one.file === file);
  if (page) tokens[index]?.attrSet('href', `/help/${page.name}${anchor === undefined ? '' : `#${anchor}`}`);
  return self.renderToken(tokens, index, options);
};
markdown.renderer.rules['table_open'] = () => '<div class="wide" tabindex="0"><table>';
markdown.renderer.rules['table_close'] = () => '</table></div>';
// What scrolls sideways on a telephone can be reached by keyboard.
markdown.renderer.rules.fence = (tokens, index) => `<pre tabindex="0"><code>${escapeHtml(tokens[index]?.content ?? '')}</code></pre>\n`;
