// The real front door for instances below paths, and a pass in front of it that notes where every request went.

import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { makeStand, never } from '../platforms/nginx-stand.ts';
import { freePorts } from '../free-ports.ts';

/** One request, and what the front door made of it. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  /** Name of the instance that it went to, or that a stray was sent back to; null: nobody. */
  readonly to: string | null;
  readonly isStray: boolean;
  readonly isSocket: boolean;
  /** Name of the instance whose page asked, if the browser said. */
  readonly from: string | null;
};

export type Door = { readonly url: string; readonly seen: Seen[]; close(): Promise<void> };

const nameIn = (path: string): string | null => /^\/otree\/([a-z]+)(?=\/|$)/.exec(path)?.[1] ?? null;

/** @param sockets of the instances by name: `/otree/NAME/…` leads to each @param cookieName that of both */
export async function openDoor(sockets: Readonly<Record<string, string>>, cookieName: string): Promise<Door> {
  const [port = 0] = await freePorts(1);
  const seen: Seen[] = [];
  const known = (url: string): string | null => [nameIn(url)].find((name) => name !== null && name in sockets) ?? null;
  const note = (request: http.IncomingMessage, { location, isSocket }: { location?: string | undefined; isSocket: boolean }): void => {
    const { url = '/', method = '', headers } = request;
    const home = known(url);
    const back = home === null && location?.endsWith(url) ? known(location) : null;
    const from = headers.referer === undefined ? null : nameIn(new URL(headers.referer).pathname);
    seen.push({ method, url, to: home ?? back, isStray: home === null, isSocket, from });
  };
  const pass = http.createServer((request, response) => {
    const asked = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
      note(request, { location: answer.statusCode === 307 ? answer.headers.location : undefined, isSocket: false });
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  pass.on('upgrade', (request, browser, head) => {
    note(request, { isSocket: true });
    const door = net.connect(port, '127.0.0.1');
    const lines = request.rawHeaders.flatMap((text, at) => (at % 2 === 0 ? [`${text}: ${request.rawHeaders[at + 1]}`] : []));
    door.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    door.write(head);
    for (const [one, other] of [
      [browser, door],
      [door, browser],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other);
  });
  await new Promise<void>((resolve) => pass.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(pass.address() as AddressInfo).port}`;
  // The sockets of the launcher's tests are open to their own user only, which is ours.
  const stand = await makeStand({ workerUser: 'root', paths: { url: `${url}/otree`, port } });
  const routes = Object.entries(sockets).map(([name, upstreamSocket]) =>
    stand.route(name, { address: { mode: 'path', prefix: `/otree/${name}` }, url: `${url}/otree/${name}`, upstreamSocket, cookieName }),
  );
  const { refused } = await stand.door.apply(routes, never);
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
  return {
    url,
    seen,
    async close() {
      pass.closeAllConnections();
      await new Promise((resolve) => pass.close(resolve));
      await stand.clear();
    },
  };
}
