// Who answers at the public address, and whether a proxy on the way there leaves alone what the panel needs.

import http from 'node:http';
import https from 'node:https';
import type { Config } from './config.ts';
import { identityHeader, panelIdentity, sawHeader } from './panel-identity.ts';
import type { Check, Finding, Surroundings } from './system-check-surroundings.ts';

export type Reached = {
  readonly who: 'this' | 'other' | 'nobody';
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
  const answer = await call(new URL('/healthz', config.publicUrl), {});
  if (typeof answer === 'string') return { who: 'nobody', how: answer, saw: '', isWebsocketOpen: false };
  const how = `answers with status ${answer.statusCode}`;
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
