// Who answers at the public address, and whether a proxy on the way there leaves alone what the panel needs.

import http from 'node:http';
import https from 'node:https';
import type { Config } from './config.ts';
import { identityHeader, panelIdentity, sawHeader } from './panel-identity.ts';
import type { Check, Finding, Surroundings } from './system-check-surroundings.ts';

export type Reached = {
  /** `circle`: the answer leads to the address that was asked for. */
  readonly who: 'this' | 'other' | 'nobody' | 'circle';
  /** What came, or why nothing did. */
  readonly how: string;
  /** Protocol and host of the request as the panel saw it, `https://otree.example.org`; empty when it was not the panel. */
  readonly saw: string;
  readonly isWebsocketOpen: boolean;
};

export type WithReached = Surroundings & { readonly nameFacts: Promise<{ readonly kind: string; readonly reached: Reached }> };

const answerMs = 4000;

/** Calls the public address as a browser would; the certificate is another check's business. Never throws. */
export async function reach(config: Config): Promise<Reached> {
  const asked = new URL('/healthz', config.publicUrl);
  const answer = await call(asked, {});
  if (typeof answer === 'string') return { who: 'nobody', how: answer, saw: '', isWebsocketOpen: false };
  const how = `answers with status ${answer.statusCode}`;
  if (leadsToItself(asked, answer)) return { who: 'circle', how, saw: '', isWebsocketOpen: false };
  if (answer.headers[identityHeader] !== panelIdentity(config.layout)) return { who: 'other', how, saw: '', isWebsocketOpen: false };
  const upgrade = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'YSBzeXN0ZW0gY2hlY2shIQ==',
    Origin: config.publicUrl.origin,
  };
  const socket = await call(new URL('/socket.io/?EIO=4&transport=websocket', config.publicUrl), upgrade);
  return { who: 'this', how, saw: String(answer.headers[sawHeader] ?? ''), isWebsocketOpen: typeof socket !== 'string' && socket.statusCode === 101 };
}

/** Whether who follows the answer asks the same again. */
export function leadsToItself(asked: URL, { statusCode = 0, headers: { location = '' } }: http.IncomingMessage): boolean {
  return statusCode >= 300 && statusCode < 400 && URL.canParse(location, asked) && new URL(location, asked).href === asked.href;
}

/** What goes round in circles, and how to end it. */
export function describeCircle({ HTTPS_PORT, PORT }: Config, url: URL): Finding {
  const seen = `Requests to ${url.origin} go round in circles: the answer leads to the same address again.`;
  if (HTTPS_PORT === undefined)
    return {
      result: 'bad',
      seen,
      means: 'Something in front of the panel redirects to the address that was asked for. Browsers give up with “too many redirects”.',
      fix: 'Look at the redirects of the proxy in front; docs/behind-a-proxy.md has examples.',
    };
  return {
    result: 'bad',
    seen,
    means: `A proxy in front takes https and passes requests on to PORT (${PORT}) without it; there everybody is led to https, because HTTPS_PORT is set. Browsers give up with “too many redirects”.`,
    fix: 'Name the proxy in TRUSTED_PROXIES and let it send X-Forwarded-Proto: then its requests are answered. Or leave out HTTPS_PORT, when the proxy alone holds the certificate.',
    request: `Your proxy in front of ${url.hostname}: please let it send X-Forwarded-Proto and X-Forwarded-For, and tell us the address from which it calls our machine.`,
  };
}

/** The head of the answer, or why there is none; redirects are not followed. Never throws. */
export function call(url: URL, headers: Readonly<Record<string, string>>): Promise<http.IncomingMessage | string> {
  const options = { timeout: answerMs, headers, agent: false as const };
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? https.get(url, { ...options, rejectUnauthorized: false }) : http.get(url, options);
    request.on('response', (response) => {
      response.resume();
      resolve(response);
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function checkReached(surroundings: WithReached): Promise<Finding> {
  const { reached, kind } = await surroundings.nameFacts;
  const address = surroundings.config.publicUrl.origin;
  if (reached.who === 'this')
    return {
      result: 'good',
      seen: `This panel answers at ${address}.`,
      means: 'Whoever can open this address from where they are has found the right machine.',
    };
  if (reached.who === 'circle') return describeCircle(surroundings.config, surroundings.config.publicUrl);
  if (!surroundings.isPanelRunning)
    return {
      result: 'unknown',
      seen: `The panel is not running; ${address} ${reached.who === 'nobody' ? `does not answer (${reached.how})` : reached.how}.`,
      means: 'Whether the address leads here shows when the panel runs.',
      fix: 'Start the panel and check again.',
    };
  if (reached.who === 'nobody')
    return {
      result: kind === 'name' ? 'attention' : 'bad',
      seen: `Nobody answers at ${address} (${reached.how}), asked from this machine.`,
      means: 'The port, a proxy or the firewall is not as PUBLIC_URL says. Some networks do not let a machine call its own outside address.',
      fix: 'Open the address on another computer. If it does not answer there: compare PUBLIC_URL with PORT, and look at the proxy in front.',
    };
  return {
    result: 'bad',
    seen: `Something else answers at ${address} (${reached.how}).`,
    means: 'People who open the panel’s address arrive at another program.',
    fix: 'Set PUBLIC_URL to the address of this panel, or let the proxy there pass everything on to this machine.',
  };
}

async function checkPassedOn(surroundings: WithReached): Promise<Finding> {
  const { reached } = await surroundings.nameFacts;
  const { publicUrl } = surroundings.config;
  if (reached.who !== 'this')
    return {
      result: 'unknown',
      seen: 'The panel was not reached by its public address.',
      means: 'What happens to requests on the way cannot be seen.',
      fix: 'See the check before this one.',
    };
  const saw = new URL(reached.saw || 'http://nobody.invalid');
  const guide = 'docs/behind-a-proxy.md has examples for nginx, Apache and HAProxy.';
  if (saw.host !== publicUrl.host)
    return {
      result: 'bad',
      seen: `A request for ${publicUrl.host} arrives as one for ${saw.host}.`,
      means: 'The proxy in front changes the host name: nobody can sign in, and instances are not told apart.',
      fix: `Let the proxy pass on Host as it came. ${guide}`,
    };
  if (saw.protocol !== publicUrl.protocol)
    return {
      result: 'bad',
      seen: `A request by ${publicUrl.protocol.slice(0, -1)} arrives as one by ${saw.protocol.slice(0, -1)}.`,
      means: 'The panel does not believe, or does not hear, how the visitor came. With https nobody can sign in.',
      fix: `Let the proxy send X-Forwarded-Proto, and name its address in TRUSTED_PROXIES. ${guide}`,
    };
  if (!reached.isWebsocketOpen)
    return {
      result: 'bad',
      seen: 'Requests arrive as they were sent, but no websocket can be opened.',
      means: 'Waiting pages of experiments do not go on by themselves, and the panel’s pages do not move.',
      fix: `Let the proxy pass websockets (Upgrade). ${guide}`,
    };
  return {
    result: 'good',
    seen: `Requests arrive as they were sent (${saw.origin}), and a websocket opens.`,
    means: 'Signing in, waiting pages and live pages work on this way.',
  };
}

export const reachChecks: readonly Check<WithReached>[] = [
  { id: 'reached', group: 'addresses', title: 'The public address leads to this panel', run: checkReached },
  { id: 'passed-on', group: 'addresses', title: 'What arrives through a proxy', run: checkPassedOn },
];
