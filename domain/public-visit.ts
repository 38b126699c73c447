// Visiting an experiment at its public address as a participant's browser does: cookies, redirects, certificate checked.

import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { TLSSocket } from 'node:tls';

export type Page = { readonly status: number; readonly url: URL; readonly text: string };
type Sent = { readonly method?: 'GET' | 'POST'; readonly json?: unknown };

const timeoutMs = 10_000;
const maxTextBytes = 512 * 1024;
const maxRedirects = 10;

/** Why nobody answered, in words. */
export class NoAnswer extends Error {}

/** One person's browser: keeps cookies, follows redirects. */
export class Visitor {
  readonly #cookies = new Map<string, string>();

  /** @throws NoAnswer */
  async open(url: URL, sent: Sent = {}): Promise<Page> {
    let [at, next] = [url, sent];
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const page = await this.#send(at, next);
      if (page.to === null) return page;
      [at, next] = [page.to, {}];
    }
    throw new NoAnswer('it sends the browser in a circle');
  }

  async #send(url: URL, { method = 'GET', json }: Sent): Promise<Page & { readonly to: URL | null }> {
    const body = json === undefined ? '' : JSON.stringify(json);
    const headers = {
      accept: 'text/html,*/*',
      'accept-language': 'en',
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(json === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), origin: url.origin }),
    };
    const { response, text } = await send(url, { method, headers, body });
    for (const line of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=;\s]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
    }
    const { location } = response.headers;
    const status = response.statusCode ?? 0;
    return { status, url, text, to: status >= 300 && status < 400 && location !== undefined ? new URL(location, url) : null };
  }
}

/** What a single address answers with, and until when its certificate is good (null: not encrypted); redirects are not followed, nothing is kept. @throws NoAnswer */
export async function lookAt(url: URL): Promise<{ status: number; certificateUntil: Date | null }> {
  const { response, certificateUntil } = await send(url, { method: 'GET', headers: {}, body: '' });
  return { status: response.statusCode ?? 0, certificateUntil };
}

type Request = { readonly method: string; readonly headers: http.OutgoingHttpHeaders; readonly body: string };

type Answered = { readonly response: http.IncomingMessage; readonly text: string; readonly certificateUntil: Date | null };

function send(url: URL, { method, headers, body }: Request): Promise<Answered> {
  const lookup = url.hostname.endsWith('.localhost') ? { lookup: asLoopback } : {};
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(new NoAnswer(describe(error), { cause: error }));
    const options = { method, headers, agent: false as const, signal: AbortSignal.timeout(timeoutMs), ...lookup };
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      let text = '';
      // The socket is gone when the answer has ended.
      const certificateUntil = response.socket instanceof TLSSocket ? new Date(response.socket.getPeerCertificate().valid_to) : null;
      response.setEncoding('utf8').on('data', (piece: string) => {
        if (text.length < maxTextBytes) text += piece;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ response, text, certificateUntil }));
    });
    request.on('error', fail);
    request.end(body);
  });
}

/** Browsers take every name below localhost for this machine (RFC 6761); the C library does not always. */
const asLoopback: LookupFunction = (_name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));

function describe({ code = '', name, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known to the panel’s machine';
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return `there was no answer within ${timeoutMs / 1000} seconds`;
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/.test(code)) return `its certificate is not trusted (${code})`;
  return code || message;
}
