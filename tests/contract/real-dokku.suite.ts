// The Dokku platform against the contract, on a real host that `npm run test:dokku` names.

import { readFile } from 'node:fs/promises';
import type { DokkuConnection } from '../../platforms/dokku/connection.ts';
import { launcherWords } from '../../platforms/dokku/dockerfile.ts';
import { enter } from '../../platforms/dokku-commands.ts';
import { Secret } from '../../platforms/secret.ts';
import { describeAdoption } from './contract-adoption.ts';
import { describeFront } from './contract-front.ts';
import { type DokkuSite, standOn } from './dokku-stand.ts';
import { describePlatform } from './platform-contract.ts';

type Site = {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly user: string;
  readonly 'host-key'?: string;
  readonly 'base-image': string;
  readonly python: string;
  readonly 'http-host'?: string;
  readonly 'http-port': number;
  readonly 'https-port': number;
  readonly 'index-url'?: string;
  readonly 'ca-file'?: string;
};

/** A build and two deploys, each of a minute or two, and waiting for others. */
const MINUTE_MS = 60_000;

async function realSite(): Promise<DokkuSite> {
  const given = process.env['ARBORETUM_TEST_DOKKU'];
  if (given === undefined) throw new Error('No host is named: this suite is run by “npm run test:dokku -- --host HOST --key FILE”.');
  const site = JSON.parse(given) as Site;
  return {
    ssh: { host: site.host, port: site.port, user: site.user, privateKey: new Secret(await readFile(site.key, 'utf8')), hostKey: site['host-key'] ?? null },
    http: { host: site['http-host'] ?? site.host, port: site['http-port'], httpsPort: site['https-port'] },
    baseImage: site['base-image'],
    python: site.python,
    packageIndex: {
      ...(site['index-url'] === undefined ? {} : { indexUrl: new Secret(site['index-url']) }),
      ...(site['ca-file'] === undefined ? {} : { caFile: site['ca-file'] }),
    },
    recoveryMs: 2 * MINUTE_MS,
    crash,
    close: async () => {},
  };
}

/** Kills oTree within its container, where it alone works in the project's folder; Docker's own init, which stays, passes the news on. */
async function crash(app: string, connection: DokkuConnection): Promise<void> {
  const [python = ''] = launcherWords('serve');
  const script =
    "import os;me=os.getpid();[os.kill(int(p),9) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1,me) and os.access('/proc/'+p+'/cwd',0) and os.path.realpath('/proc/'+p+'/cwd')==os.getcwd() and b'start.py' in open('/proc/'+p+'/cmdline','rb').read()]";
  // Its exit code is 137 where the container is gone before it ends.
  const { stdout, stderr } = await connection.run(enter(app, 'web', [python, '-c', script]));
  if (stderr.includes('Traceback')) throw new Error(`oTree was not killed: ${stdout}${stderr}`);
}

describeAdoption(
  'Dokku',
  async () => {
    const site = await realSite();
    return { stand: await standOn(site), baseImage: site.baseImage };
  },
  { testMs: 20 * MINUTE_MS, endsMs: 15 * MINUTE_MS },
);
describeFront('Dokku', async () => await standOn(await realSite()), { testMs: 20 * MINUTE_MS, endsMs: 15 * MINUTE_MS });
describePlatform('Dokku', async () => await standOn(await realSite()), { testMs: 20 * MINUTE_MS, endsMs: 15 * MINUTE_MS });
