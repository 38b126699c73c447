/** A visitor of an instance below a path, who looks through every answer for addresses outside of it. */
import { createRequire } from 'node:module';
import { onTestFinished } from 'vitest';
import { type Answer, type Instance, until } from './instance.ts';

type RawSocket = {
  send(text: string): void;
  on(event: 'message', listener: (data: Buffer) => void): RawSocket;
  on(event: 'open', listener: () => void): RawSocket;
  on(event: 'error', listener: (error: Error) => void): RawSocket;
  terminate(): void;
};
const engine = createRequire(createRequire(import.meta.url).resolve('socket.io'));
const RawWebSocket = createRequire(engine.resolve('engine.io'))('ws') as new (url: string, options: object) => RawSocket;

const host = 'lab.example';
const ourScript = /<script>\(function \(prefix[^]*?<\/script>/g;

export class Visitor {
  /** Addresses outside the path, with where they stood. */
  readonly leaks: string[] = [];
  private readonly jar = new Map<string, string>();
  private readonly one: Instance;
  private readonly prefix: string;

  constructor(one: Instance, prefix: string) {
    this.one = one;
    this.prefix = prefix;
  }

  /** Asks for a path below the prefix, or for a whole one that an answer gave. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('GET', path, { headers });
  }

  async post(path: string, form: Record<string, string>): Promise<Answer> {
    return this.ask('POST', path, { body: new URLSearchParams(form).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  }

  /** Follows redirects until a page answers; at most ten, so that a circle is an error. */
  async open(path: string): Promise<Answer & { path: string }> {
    for (let hop = 0; hop < 10; hop++) {
      const answer = await this.get(path);
      if (answer.headers.location === undefined) return { ...answer, path };
      path = new URL(answer.headers.location, `http://${host}`).pathname + new URL(answer.headers.location, `http://${host}`).search;
    }
    throw new Error(`${path} leads round in a circle`);
  }

  async signIn(password: string): Promise<boolean> {
    const token = /name="csrftoken" value="(\w+)"/.exec((await this.get('/login')).body)?.[1] ?? '';
    return (await this.post('/login', { csrftoken: token, username: 'admin', password })).status === 302;
  }

  /** Connects to the websocket of this name whose path a page gives; returns what it says and a way to speak. */
  async socket(page: Answer, name: string): Promise<{ messages: Record<string, unknown>[]; send(data: unknown): void }> {
    const text = page.body.replaceAll('&amp;', '&').replaceAll('\\u0026', '&');
    const found = new RegExp(`["'\`](${this.prefix}/${name}(?:[/?][^"'\`]*)?)["'\`]`).exec(text)?.[1];
    if (found === undefined) throw new Error(`the page has no websocket ${name}`);
    return this.connect(found);
  }

  async connect(path: string): Promise<{ messages: Record<string, unknown>[]; send(data: unknown): void }> {
    const socket = new RawWebSocket(`ws+unix:${this.one.socket}:${path}`, { headers: { host, cookie: this.cookie() } });
    const messages: Record<string, unknown>[] = [];
    socket.on('message', (data) => {
      messages.push(JSON.parse(data.toString()) as Record<string, unknown>);
      this.scanText(path, data.toString());
    });
    await new Promise<void>((resolve, reject) => void socket.on('open', resolve).on('error', reject));
    onTestFinished(() => socket.terminate());
    return { messages, send: (data) => socket.send(JSON.stringify(data)) };
  }

  private async ask(method: string, path: string, options: { headers: Record<string, string>; body?: string }): Promise<Answer> {
    const whole = path.startsWith(`${this.prefix}/`) ? path : this.prefix + path;
    const answer = await this.one.request(method, whole, { ...options, headers: { host, cookie: this.cookie(), ...options.headers } });
    for (const set of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.jar.set(name, value);
      if (!set.includes(`path=${this.prefix}/;`)) this.leaks.push(`${path}: cookie ${set}`);
    }
    if (answer.headers.location !== undefined) this.check(`${path}: Location`, new URL(answer.headers.location, `http://${host}`).pathname);
    if (/html|json/.test(answer.headers['content-type'] ?? '')) this.scanText(path, answer.body.replaceAll(ourScript, ''));
    return answer;
  }

  private cookie = (): string => [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');

  /** Whatever looks like the beginning of an address: in attributes, strings, styles, refreshes, with and without host. */
  private scanText(where: string, text: string): void {
    for (const [, address = ''] of text.matchAll(/["'`=(},](\/[A-Za-z_][^"'`\s)>,]*)/g)) this.check(where, address);
    for (const [, address = ''] of text.matchAll(/(?:https?|wss?):\/\/lab\.example(?::\d+)?(\/?[^"'`\s<]*)/g)) this.check(where, address);
  }

  private check(where: string, address: string): void {
    if (address !== this.prefix && !address.startsWith(`${this.prefix}/`)) this.leaks.push(`${where}: ${address}`);
  }
}

/** Waits for a message that fits. */
export const heard = <T>(messages: readonly Record<string, unknown>[], name: string): Promise<NonNullable<T>> =>
  until(`a message with ${name}; heard: ${JSON.stringify(messages)}`, () => messages.find((message) => name in message)?.[name] as T);
