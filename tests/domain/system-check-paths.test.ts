// What the system check says of paths and of https at the front door: names, who answers, the best kind, the firewall.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checked } from '../../contracts/system-check.ts';
import { identityHeader, panelIdentity } from '../../domain/panel-identity.ts';
import { runCheck } from '../../domain/system-check.ts';
import type { CertificateFacts } from '../../domain/system-check-certificate.ts';
import { firewallList } from '../../domain/system-check-firewall.ts';
import { adviseMode } from '../../domain/system-check-modes.ts';
import { lookAtNames } from '../../domain/system-check-names.ts';
import { lookAtPaths, pathChecks } from '../../domain/system-check-paths.ts';
import { portChecks } from '../../domain/system-check-ports.ts';
import { askDns, type Surroundings } from '../../domain/system-check-surroundings.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { surroundings } from '../surroundings.ts';

let dns: DnsServer;
beforeAll(async () => {
  dns = await startDns();
});
afterAll(() => dns.close());

const around = (env: Readonly<Record<string, string>>, more: Partial<Surroundings> = {}): Surroundings =>
  surroundings(env, { names: askDns([dns.address]), ...more });

async function run(id: string, there: Surroundings): Promise<Checked> {
  const check = pathChecks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, { ...there, pathFacts: lookAtPaths(there) });
}

describe('the name of the paths', () => {
  const env = (host: string) => ({ PUBLIC_URL: 'http://otree.paths.test:9', PATH_URL: `http://${host}:9/otree` });

  it('is no matter without PATH_URL, nor where nobody has to look it up', async () => {
    expect(await run('path-name', around({}))).toMatchObject({ result: 'not-here', seen: 'PATH_URL is not set.' });
    expect(await run('path-name', around(env('paths.localhost')))).toMatchObject({ result: 'not-here' });
  });

  it('that DNS does not know is bad, and is asked for', async () => {
    expect(await run('path-name', around(env('none.paths.test')))).toMatchObject({ result: 'bad', request: expect.stringContaining('none.paths.test') });
  });

  it('that leads to this machine or where the panel’s name leads is good, elsewhere needs attention', async () => {
    dns.tell('otree.paths.test', ['198.51.100.9']);
    dns.tell('one.paths.test', ['192.0.2.10']);
    dns.tell('two.paths.test', ['198.51.100.9']);
    dns.tell('far.paths.test', ['203.0.113.1']);
    expect(await run('path-name', around(env('one.paths.test')))).toMatchObject({ result: 'good' });
    expect(await run('path-name', around(env('two.paths.test')))).toMatchObject({ result: 'good' });
    expect(await run('path-name', around(env('far.paths.test')))).toMatchObject({ result: 'attention', means: expect.stringContaining('proxy') });
  });

  it('is unknown without DNS', async () => {
    expect(await run('path-name', around(env('x.paths.test'), { names: askDns(['127.0.0.1:9']) }))).toMatchObject({ result: 'unknown' });
  });
});

/** Something that answers below a PATH_URL. */
async function answering(answer: (path: string, response: http.ServerResponse) => void, judge: (there: Surroundings) => Promise<void>): Promise<void> {
  const server = http.createServer((request, response) => answer(request.url ?? '', response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await judge(around({ PATH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otree` }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the address of the paths', () => {
  it('below which this panel answers is good', () =>
    answering(
      (path, response) => {
        if (path === '/otree/healthz') response.setHeader(identityHeader, panelIdentity(around({}).config.layout));
        response.end();
      },
      async (there) => expect(await run('path-reached', there)).toMatchObject({ result: 'good' }),
    ));

  it('where another panel or program answers is bad', async () => {
    await answering(
      (_, response) => response.setHeader(identityHeader, panelIdentity({ dataDir: '/another' })).end(),
      async (there) => expect(await run('path-reached', there)).toMatchObject({ result: 'bad' }),
    );
    await answering(
      (_, response) => response.end('welcome'),
      async (there) => expect(await run('path-reached', there)).toMatchObject({ result: 'bad', seen: expect.stringContaining('Something else') }),
    );
  });

  it('where something says “nobody here” is unknown', () =>
    answering(
      (_, response) => response.writeHead(404).end(),
      async (there) => expect(await run('path-reached', there)).toMatchObject({ result: 'unknown' }),
    ));

  it('where nobody answers needs attention, while the panel runs', async () => {
    const there = around({ PATH_URL: 'http://127.0.0.1:9/otree' });
    expect(await run('path-reached', there)).toMatchObject({ result: 'attention' });
    expect(await run('path-reached', { ...there, isPanelRunning: false })).toMatchObject({ result: 'unknown' });
  });
});

describe('ports of https and of the paths', () => {
  const knock = async (id: string, env: Readonly<Record<string, string>>): Promise<Checked> => {
    const check = portChecks.find((one) => one.id === id);
    if (!check) throw new Error(`there is no check ${id}`);
    return runCheck(check, surroundings(env));
  };

  it('are looked at where they are set', async () => {
    expect(await knock('port-https', {})).toMatchObject({ result: 'not-here' });
    expect(await knock('port-paths', {})).toMatchObject({ result: 'not-here' });
    expect(await knock('port-https', { PUBLIC_URL: 'https://o.test', HTTPS_PORT: '9' })).toMatchObject({
      result: 'bad',
      fix: expect.stringContaining('HTTPS_PORT'),
    });
    expect(await knock('port-paths', { PATH_URL: 'http://localhost:9/otree', PATH_PORT: '9' })).toMatchObject({
      result: 'bad',
      fix: expect.stringContaining('PATH_PORT'),
    });
  });
});

describe('the best kind of address', () => {
  const seen = (fitsWildcard: boolean): CertificateFacts => ({
    state: 'seen',
    daysLeft: 80,
    fits: true,
    fitsWildcard,
    names: 'otree.best.test',
    distrust: null,
  });
  const advise = async (env: Readonly<Record<string, string>>, certificate: CertificateFacts = { state: 'plain-http' }) => {
    const there = around(env);
    return adviseMode({ names: await lookAtNames(there), certificate, ownAddresses: there.ownAddresses, config: there.config });
  };
  const http = { PUBLIC_URL: 'http://otree.best.test:9' };
  const https = { PUBLIC_URL: 'https://otree.best.test:9' };
  const paths = { PATH_URL: 'https://studies.best.test/otree' };

  it('is a path where there are no names and a proxy holds the certificate, with what it costs', async () => {
    expect(await advise({ ...https, ...paths }, seen(false))).toMatchObject({
      best: 'path',
      because: expect.stringContaining('scripts of one experiment can act on the others'),
    });
  });

  it('is a path where somebody has chosen it, a port otherwise: whether ports get through cannot be seen', async () => {
    expect(await advise({ ...http, ...paths, ADDRESS_MODE: 'path' })).toMatchObject({ best: 'path' });
    expect(await advise({ ...http, ...paths })).toMatchObject({ best: 'port', caveat: null });
    expect(await advise({ PUBLIC_URL: 'http://192.0.2.10:9', ...paths, ADDRESS_MODE: 'path' })).toMatchObject({ best: 'path' });
  });

  it('is a port without a caveat where the front door takes https itself', async () => {
    expect(await advise({ ...https, HTTPS_PORT: '443' }, seen(false))).toMatchObject({ best: 'port', caveat: null });
    expect(await advise(https, seen(false))).toMatchObject({ best: 'port', fix: expect.stringContaining('HTTPS_PORT') });
  });

  it('is a name wherever a wildcard leads here, without a caveat where each name gets its own certificate', async () => {
    const wild = { PUBLIC_URL: 'https://otree.wild.test:9' };
    dns.tell('otree.wild.test', ['192.0.2.10']);
    dns.tell('*.otree.wild.test', ['192.0.2.10']);
    expect(await advise({ ...wild, ...paths, ADDRESS_MODE: 'path' }, seen(false))).toMatchObject({ best: 'subdomain', caveat: expect.any(String) });
    expect(await advise({ ...wild, HTTPS_PORT: '443', ACME_EMAIL: 'it@wild.test' }, seen(false))).toMatchObject({ best: 'subdomain', caveat: null });
  });
});

describe('the firewall list', () => {
  const list = (env: Readonly<Record<string, string>>) =>
    firewallList({ config: surroundings(env).config, mode: 'subdomain', hasPorts: false }).map(({ way, ports }) => `${way} ${ports}`);
  const own = { PUBLIC_URL: 'https://otree.test', HTTPS_PORT: '443', PORT: '80' };

  it('with https at the front door opens both ports, and keeps neither shut', () => {
    expect(list(own)).toEqual(expect.arrayContaining(['open 443/tcp', 'open 80/tcp']));
    expect(list(own)).not.toContain('shut 80/tcp');
    expect(list({ ...own, HTTPS_PORT: '8443', PORT: '8080' })).toEqual(expect.arrayContaining(['open 443, 8443/tcp', 'open 8080/tcp']));
  });

  it('with ACME opens port 80 from everywhere, and lets the front door out to the authority', () => {
    const config = surroundings({ ...own, ACME_EMAIL: 'it@otree.test', PORT: '8080' }).config;
    const rules = firewallList({ config, mode: 'subdomain', hasPorts: false });
    expect(rules.find(({ ports }) => ports === '80, 8080/tcp')?.why).toContain('must reach 8080');
    expect(rules.map(({ id }) => id)).toContain('out 443/tcp to acme-v02.api.letsencrypt.org');
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  });

  it('names the port of the paths where it is another one, and keeps it shut behind a proxy', () => {
    expect(list({ ...own, PATH_URL: 'https://otree.test:8443/otree', PATH_PORT: '8443' })).toContain('open 8443/tcp');
    expect(list({ ...own, PATH_URL: 'https://studies.test/otree' }).filter((rule) => rule.startsWith('open'))).toEqual(
      list(own).filter((rule) => rule.startsWith('open')),
    );
    const proxied = list({ PUBLIC_URL: 'https://otree.test', PATH_URL: 'https://otree.test:8443/otree', PATH_PORT: '8090' });
    expect(proxied).toEqual(expect.arrayContaining(['open 8443/tcp', 'shut 8090/tcp']));
  });
});
