// A front door for instances below paths, in a few lines: passes the whole path on, and sends strays back by their Referer.

import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** One request as the door saw it. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  /** Name of the instance that answered, or that the stray was sent back to; null: nobody. */
  readonly to: string | null;
  readonly isStray: boolean;
  readonly isSocket: boolean;
  /** Name of the instance whose page asked, if the browser said. */
  readonly from: string | null;
};

export type Door = { readonly url: string; readonly seen: Seen[]; close(): Promise<void> };

const nameIn = (path: string): string | null => /^\/otree\/([a-z]+)(?=\/|$)/.exec(path)?.[1] ?? null;

/** Listens on a free port. @param sockets of the instances by name: `/otree/NAME/…` leads to each */
export async function openDoor(sockets: Readonly<Record<string, string>>): Promise<Door> {
  const seen: Seen[] = [];
  const note = (request: http.IncomingMessage, isSocket: boolean): { to: string | null; isStray: boolean } => {
    const [url, referer] = [request.url ?? '/', request.headers.referer];
    const from = referer === undefined ? null : nameIn(new URL(referer).pathname);
    const own = nameIn(url);
    const [to, isStray] = own !== null && own in sockets ? [own, false] : [from, true];
    seen.push({ method: request.method ?? '', url, to, isStray, isSocket, from });
    return { to, isStray };
  };
  const server = http.createServer((request, response) => {
    const { to, isStray } = note(request, false);
    if (to === null) return void response.writeHead(404).end('Nobody lives here.');
    if (isStray) return void response.writeHead(307, { location: `/otree/${to}${request.url}`, 'cache-control': 'no-store' }).end();
    const passed = { socketPath: sockets[to], method: request.method, path: request.url, headers: { ...request.headers, connection: 'close' } };
    const asked = http.request(passed, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('upgrade', (request, browser, head) => {
    const { to, isStray } = note(request, true);
    if (to === null || isStray) return void browser.end('HTTP/1.1 404 Not Found\r\n\r\n');
    const instance = net.connect(sockets[to] ?? '');
    const lines = request.rawHeaders.flatMap((text, at) => (at % 2 === 0 ? [`${text}: ${request.rawHeaders[at + 1]}`] : []));
    instance.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    instance.write(head);
    for (const [one, other] of [
      [browser, instance],
      [instance, browser],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close };
}
