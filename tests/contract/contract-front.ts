// Name and certificate of a running instance at the Dokku host's own nginx: the same for a real host and the replay host.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveApp } from '../../platforms/dokku/host.ts';
import { certsReport, domainsReport, psInspect } from '../../platforms/dokku-commands.ts';
import { readCertificate, readDomains, readPsInspect } from '../../platforms/dokku-reports.ts';
import type { DoorCertificate } from '../../platforms/front-door.ts';
import { Secret } from '../../platforms/secret.ts';
import type { DokkuStand } from './dokku-stand.ts';
import { deploy, makeSpec, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { until } from './local-stand.ts';
import type { Patience } from './platform-contract.ts';
import { never, version } from './stand.ts';

/** A certificate that signs itself. */
export function makeCertificate(names: readonly string[], days: number): DoorCertificate & { readonly until: Date } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cert-'));
  const at = (name: string): string => path.join(folder, name);
  const subject = ['-subj', `/CN=${(names[0] ?? '').slice(0, 64)}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('key'), '-out', at('crt'), '-days', String(days), ...subject], {
    stdio: 'pipe',
  });
  const [chain, privateKey] = [readFileSync(at('crt'), 'utf8'), new Secret(readFileSync(at('key'), 'utf8'))];
  rmSync(folder, { recursive: true });
  return { chain, privateKey, until: new Date(new X509Certificate(chain).validTo) };
}

/** The suite; one instance with the sample project is made and destroyed by it. */
export function describeFront(name: string, makeStand: () => Promise<DokkuStand>, patience: Patience): void {
  describe(`an instance at the front door of ${name}`, { timeout: patience.testMs }, () => {
    const spec = makeSpec();
    const { instanceId } = spec;
    let stand: DokkuStand;
    let [before, after] = ['', ''];
    let first: ReturnType<typeof makeCertificate>;

    const seen = async () => readCertificate((await stand.connection.run(certsReport(liveApp(instanceId)))).stdout);
    const names = async () => readDomains((await stand.connection.run(domainsReport(liveApp(instanceId)))).stdout).hosts;
    /** A host that is busy may be slower than one look is patient. */
    const seenRunning = () => until('it is seen running', async () => (await stateOf(stand.platform, spec)).state === 'running');
    const keep = (hostName: string, certificate: DoorCertificate | null) => stand.platform.keepFront({ instanceId, hostName, certificate }, never);

    beforeAll(async () => {
      stand = await makeStand();
      await deploy(stand.platform, spec, { dir: TRUST_GAME });
      before = (await names())[0] ?? '';
      after = `moved-${before}`;
      first = makeCertificate([before, after], 30);
    }, patience.testMs);

    afterAll(async () => {
      await stand.platform.destroy(spec, never);
      await stand.close();
    }, patience.endsMs);

    it('is shown over plain http without a certificate', async () => {
      expect(await keep(before, null)).toEqual({ certificateUntil: null });
      expect(await version(stand.platform, spec)).toBe(200);
    });

    it('is known to its database by the id of its container, so that a second one would be seen', async () => {
      const [container] = readPsInspect((await stand.connection.run(psInspect(liveApp(instanceId)))).stdout);
      const found = await stand.sql(
        spec,
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'arboretum-%'",
      );
      expect(found).toEqual([{ name: `arboretum-${container?.id.slice(0, 12)}` }]);
    });

    it('gets another name while it runs, and answers under that one', async () => {
      const { startedAt } = await stateOf(stand.platform, spec);
      await keep(after, null);
      expect(await names()).toEqual([after]);
      expect(await version(stand.platform, spec)).toBe(200);
      await seenRunning();
      expect((await stateOf(stand.platform, spec)).startedAt).toEqual(startedAt);
    });

    it('refuses a certificate for another name or with another key, and sends nothing', async () => {
      const [wrong, other] = [makeCertificate(['elsewhere.test'], 30), makeCertificate([after], 30)];
      expect((await refusal(keep(after, wrong))).message).toContain('it is for another name');
      expect((await refusal(keep(after, { ...first, privateKey: other.privateKey }))).message).toContain('its key does not belong to it');
      expect((await refusal(keep(after, { ...first, privateKey: new Secret('no key') }))).message).toContain('cannot be read');
      expect(await seen()).toMatchObject({ isEnabled: false });
    });

    it('is shown over https with the certificate that it is given, which the host tells again', async () => {
      expect(await keep(after, first)).toEqual({ certificateUntil: first.until });
      expect(await seen()).toMatchObject({ isEnabled: true, expiresAt: first.until });
      expect(await version(stand.platform, spec)).toBe(200);
      await seenRunning();
    });

    it('gets a newer one in its place, also from a panel that was started anew', async () => {
      const newer = makeCertificate([after], 60);
      expect(await stand.anotherPlatform().keepFront({ instanceId, hostName: after, certificate: newer }, never)).toEqual({ certificateUntil: newer.until });
      expect(await version(stand.platform, spec)).toBe(200);
    });

    it('keeps it over a stop, a start and a second creation', async () => {
      await stand.platform.stop(spec, never);
      await stand.platform.create({ ...spec, hostName: after }, never);
      await stand.platform.start({ ...spec, hostName: after }, never);
      expect(await seen()).toMatchObject({ isEnabled: true });
      expect(await version(stand.platform, spec)).toBe(200);
    });

    it('is shown over plain http again when the panel has none any more', async () => {
      expect(await keep(after, null)).toEqual({ certificateUntil: null });
      expect(await seen()).toMatchObject({ isEnabled: false });
      expect(await version(stand.platform, spec)).toBe(200);
    });
  });
}
