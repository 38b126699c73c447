// A stand-in for MTurk's site, over https and of another origin than the panel: it frames what oTree publishes, or a page.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import type { Made } from '../certificate-maker.ts';

export type MturkSite = {
  /** Of the outer page, that holds the frame. */
  readonly url: string;
  /** Bodies of the work that was submitted, with the query of the frame. */
  readonly submitted: readonly string[];
  /** What the frame holds from now on: oTree's question, or a page's own address. */
  show(frame: { readonly question: string } | { readonly address: string }): void;
  close(): void;
};

/** @param host a name that the certificate holds and the browser finds on this machine */
export async function startMturkSite(host: string, certificate: Made): Promise<MturkSite> {
  const submitted: string[] = [];
  let [question, address] = ['', ''];
  const server = https.createServer({ cert: certificate.chain, key: certificate.key }, (request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'https://worker');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (pathname === '/submit') {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        submitted.push(`${search} ${body}`);
        response.end('<p>Your work was submitted</p>');
      });
    } else if (pathname === '/question') response.end(question);
    else
      response.end(`<h1>Work</h1><iframe name="work" width="1200" height="700" src="${(address || '/question') + search.replaceAll('&', '&amp;')}"></iframe>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    submitted,
    show(frame) {
      question = 'question' in frame ? frame.question : '';
      address = 'address' in frame ? frame.address : '';
    },
    close: () => void server.close(),
  };
}

/**
 * What oTree would send to MTurk as the question: its own file of the deployed release, with the project's template in it.
 * @param wish folder of the instance, that of the project's templates, and oTree's address for starting
 */
export function questionOf({ instanceDir, template, startUrl }: { instanceDir: string; template: string; startUrl: string }): string {
  const file = path.join(otreeDir(path.join(instanceDir, 'releases', '1', 'venv', 'lib')), 'templates', 'otree', 'MTurkHTMLQuestion.html');
  const [, content = ''] = /<!\[CDATA\[([^]*)\]\]>/.exec(readFileSync(file, 'utf8')) ?? [];
  return content.replace('{% include user_template %}', readFileSync(template, 'utf8')).replace('{{ start_url|safe }}', startUrl);
}

function otreeDir(lib: string): string {
  const found = readdirSync(lib)
    .map((version) => path.join(lib, version, 'site-packages', 'otree'))
    .find((folder) => existsSync(folder));
  if (found === undefined) throw new Error(`no oTree below ${lib}`);
  return found;
}

/** Amazon's own elements are not reachable from here: a form and a field in their place, as much as a template uses. */
const elements = `
addEventListener('DOMContentLoaded', () => {
  for (const own of document.querySelectorAll('crowd-input')) {
    const field = document.createElement('input');
    field.name = own.getAttribute('name');
    field.setAttribute('aria-label', own.getAttribute('label'));
    own.replaceWith(field);
  }
  for (const own of document.querySelectorAll('crowd-form')) {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = '/submit' + location.search;
    form.append(...own.childNodes, Object.assign(document.createElement('button'), { textContent: 'Submit' }));
    own.replaceWith(form);
  }
});`;

/** Gives a browser these elements in the place of Amazon's. */
export const serveElements = (context: BrowserContext): Promise<unknown> =>
  context.route('https://assets.crowd.aws/**', (route) => route.fulfill({ contentType: 'text/javascript', body: elements }));
