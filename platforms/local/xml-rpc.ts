// The little of XML-RPC that supervisord speaks on its Unix socket; pure reading and writing apart from the one request.

import http from 'node:http';

export type RpcValue = string | number | boolean | null | RpcValue[] | { [name: string]: RpcValue };

/** An answer that supervisord gave on purpose. Codes: supervisor 4.3 xmlrpc.py `Faults`. */
export class RpcFault extends Error {
  readonly faultCode: number;

  constructor(faultCode: number, faultString: string) {
    super(faultString);
    this.name = 'RpcFault';
    this.faultCode = faultCode;
  }
}

/** Calls one method. @throws RpcFault; the system's error when nobody listens; a timeout error */
export async function callRpc(socketPath: string, method: string, options: { params?: readonly (string | boolean)[]; timeoutMs: number }): Promise<RpcValue> {
  const body = writeCall(method, options.params ?? []);
  const answer = await new Promise<string>((resolve, reject) => {
    const request = http.request(
      {
        socketPath,
        path: '/RPC2',
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(options.timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
          else reject(new Error(`supervisord answered with HTTP status ${response.statusCode}`));
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
  return readAnswer(answer);
}

const escapeXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The request's body. */
export const writeCall = (method: string, params: readonly (string | boolean)[]): string => {
  const values = params.map((param) => (typeof param === 'string' ? `<string>${escapeXml(param)}</string>` : `<boolean>${param ? 1 : 0}</boolean>`));
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values.map((value) => `<param><value>${value}</value></param>`).join('')}</params></methodCall>`;
};

/** The value in an answer. @throws RpcFault */
export function readAnswer(xml: string): RpcValue {
  const tokens: readonly string[] = xml.match(/<[^>]*>|[^<]+/g) ?? [];
  const start = tokens.findIndex((token) => token === '<value>' || token === '<value/>');
  const value = start < 0 ? null : new Reader(tokens, start).value();
  if (tokens.includes('<fault>') && value !== null && typeof value === 'object' && !Array.isArray(value)) {
    throw new RpcFault(Number(value['faultCode']), asText(value['faultString']));
  }
  return value;
}

/** A field that should be a string; anything else becomes empty. */
export const asText = (value: RpcValue | undefined): string => (typeof value === 'string' ? value : '');

class Reader {
  readonly #tokens: readonly string[];
  #at: number;

  constructor(tokens: readonly string[], at: number) {
    this.#tokens = tokens;
    this.#at = at;
  }

  /** Reads one `<value>` and stands behind it. */
  value(): RpcValue {
    if (this.#next() === '<value/>') return '';
    const opening = this.#skipSpace();
    const value = this.#typed(opening);
    while (this.#next() !== '</value>') if (this.#at > this.#tokens.length) throw new Error('supervisord sent half an answer');
    return value;
  }

  #typed(opening: string): RpcValue {
    if (opening === '<struct>') return this.#struct();
    if (opening === '<array>') return this.#array();
    if (!opening.startsWith('<') || opening === '</value>') return opening === '</value>' ? '' : unescapeXml(this.#next());
    this.#at += 1;
    if (opening.endsWith('/>')) return opening === '<nil/>' ? null : '';
    const text = (this.#tokens[this.#at] ?? '').startsWith('</') ? '' : unescapeXml(this.#next());
    if (opening === '<boolean>') return text.trim() === '1';
    return opening === '<string>' ? text : Number(text);
  }

  #struct(): RpcValue {
    const result: { [name: string]: RpcValue } = {};
    for (let token = this.#next(); token !== '</struct>' && token !== ''; token = this.#next()) {
      if (token !== '<name>') continue;
      const name = unescapeXml(this.#next());
      while (!['<value>', '<value/>', undefined].includes(this.#tokens[this.#at])) this.#at += 1;
      result[name] = this.value();
    }
    return result;
  }

  #array(): RpcValue {
    const result: RpcValue[] = [];
    for (let token = this.#next(); token !== '</array>' && token !== ''; token = this.#next()) {
      if (token !== '<value>' && token !== '<value/>') continue;
      this.#at -= 1;
      result.push(this.value());
    }
    return result;
  }

  #next(): string {
    const token = this.#tokens[this.#at] ?? '';
    this.#at += 1;
    return token;
  }

  /** The next token that is not white space between tags; stays before it. */
  #skipSpace(): string {
    const [here = '', after = ''] = [this.#tokens[this.#at], this.#tokens[this.#at + 1]];
    if (here.trim() === '' && after.startsWith('<') && after !== '</value>') this.#at += 1;
    return this.#tokens[this.#at] ?? '';
  }
}

const unescapeXml = (text: string): string =>
  text.replace(/&(?:lt|gt|quot|apos|amp|#(\d+));/g, (whole, code: string | undefined) =>
    code === undefined ? ({ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' }[whole] ?? whole) : String.fromCodePoint(Number(code)),
  );
