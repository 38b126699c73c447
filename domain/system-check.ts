// The system check: all checks side by side, each with a time limit, so that one that fails or hangs never hides the others.

import os from 'node:os';
import type { Checked, SystemCheck } from '../contracts/system-check.ts';
import { resolveAddressMode } from './addresses.ts';
import type { Config } from './config.ts';
import { estimateCapacity } from './system-check-capacity.ts';
import { certificateChecks, lookAtCertificate, type WithCertificate } from './system-check-certificate.ts';
import { ownCertificateChecks } from './system-check-certificates.ts';
import { firewallList } from './system-check-firewall.ts';
import { writeLetter } from './system-check-letter.ts';
import { lookAtMemory, machineChecks } from './system-check-machine.ts';
import { dokkuChecks, lookAtDokku, type WithDokku } from './system-check-dokku.ts';
import { askForEngine, engineChecks, type WithEngine } from './system-check-engine.ts';
import { dokkuCertificateChecks } from './system-check-dokku-certificates.ts';
import { dokkuDoubledChecks } from './system-check-dokku-doubled.ts';
import { dokkuNameChecks, lookAtWay, type WithWay } from './system-check-dokku-names.ts';
import { modeChecks } from './system-check-modes.ts';
import { lookAtNames, nameChecks, type WithNames } from './system-check-names.ts';
import { lookAtPaths, pathChecks, type WithPaths } from './system-check-paths.ts';
import { portChecks } from './system-check-ports.ts';
import { reachChecks } from './system-check-reach.ts';
import { serviceChecks } from './system-check-services.ts';
import type { Check, Surroundings } from './system-check-surroundings.ts';

type Looked = Surroundings & WithNames & WithCertificate & WithPaths & WithDokku & WithWay & WithEngine;

/** Longer than any question within a check, which has a limit of its own. */
const limitMs = 8000;

const allChecks: readonly Check<Looked>[] = [
  ...nameChecks,
  ...dokkuNameChecks,
  ...dokkuCertificateChecks,
  ...reachChecks,
  ...certificateChecks,
  ...pathChecks,
  ...ownCertificateChecks,
  ...modeChecks,
  ...portChecks,
  ...machineChecks,
  ...dokkuChecks,
  ...dokkuDoubledChecks,
  ...engineChecks,
  ...serviceChecks,
];

/** Those that say something about a panel with these settings, in the order in which they are shown. */
export const checksFor = ({ PLATFORM }: Pick<Config, 'PLATFORM'>): readonly Check<Looked>[] =>
  allChecks.filter(({ on = PLATFORM }) => on === PLATFORM || (on === 'here' && PLATFORM !== 'dokku'));

/** Runs one check to its end, or to the end of its time; never throws. */
export async function runCheck<S>(check: Check<S>, surroundings: S, withinMs = limitMs): Promise<Checked> {
  const { id, group, title } = check;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, withinMs, new Error(`no answer within ${Math.round(withinMs / 1000)} seconds`));
  });
  try {
    const found = await Promise.race([check.run(surroundings), tooLong]);
    return { id, group, title, fix: null, request: null, ...found };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      id,
      group,
      title,
      result: 'unknown',
      seen: `This could not be looked at: ${reason.slice(0, 300)}.`,
      means: 'Nothing is said about it, neither good nor bad.',
      fix: 'Run the check again; if it stays, the logs in DATA_DIR/logs may say more.',
      request: null,
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Looks at everything; takes as long as its slowest check. */
export async function runSystemCheck(surroundings: Surroundings): Promise<SystemCheck> {
  const started = performance.now();
  const { config, ownAddresses, query, procDir } = surroundings;
  const [nameFacts, certificate] = [lookAtNames(surroundings), lookAtCertificate(surroundings)];
  const looked: Looked = {
    ...surroundings,
    nameFacts,
    certificate,
    pathFacts: lookAtPaths(surroundings),
    dokkuFacts: lookAtDokku(surroundings),
    dokkuWay: lookAtWay(surroundings),
    engine: askForEngine(surroundings),
  };
  const [checks, names, mode, memory, ported] = await Promise.all([
    Promise.all(checksFor(config).map((check) => runCheck(check, looked))),
    nameFacts,
    resolveAddressMode(config),
    lookAtMemory(procDir),
    query?.<{ port: number }>('SELECT port FROM instance WHERE port IS NOT NULL UNION SELECT port FROM former_address WHERE port IS NOT NULL LIMIT 1').catch(
      () => [],
    ) ?? [],
  ]);
  const firewall = firewallList({ config, mode, hasPorts: ported.length > 0 });
  return {
    at: new Date().toISOString(),
    tookMs: Math.round(performance.now() - started),
    checks,
    firewall,
    capacity: config.PLATFORM === 'dokku' ? null : estimateCapacity({ cores: os.availableParallelism(), memoryMib: memory.totalMib }),
    letter: writeLetter({ config, names, ownAddresses, checks, firewall }),
  };
}
