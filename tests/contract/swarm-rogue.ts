// A rogue experiment in a container and a quiet one beside it: what the tests of walls and limits share.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type Docker from 'dockerode';
import type { InstanceSpec, Observation } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { deploy, makeSpec, projectWith, stateOf, TRUST_GAME } from './instances.ts';
import { never } from './stand.ts';
import type { SwarmStand } from './swarm-stand.ts';

/** What `swarm-mischief.py` does; `none`: nothing. */
export type Mischief = 'none' | 'listen' | 'reach' | 'probe' | 'hog' | 'bomb' | 'hoard' | 'end' | 'compute' | 'connect';

/** `stand` is there from the first test on. */
export type SwarmBench = {
  stand: SwarmStand;
  /** It listens, so that an attempt that comes through is seen; nobody else disturbs it. */
  readonly quiet: InstanceSpec;
  readonly rogue: InstanceSpec;
  /** A further one; destroyed at the end. */
  readonly makeStray: () => InstanceSpec;
  readonly inspect: (spec: InstanceSpec) => Promise<Docker.ContainerInspectInfo>;
  readonly log: (spec: InstanceSpec) => Promise<string>;
  /** Milliseconds that its sign-in page takes; null when it does not answer. */
  readonly answers: (spec: InstanceSpec) => Promise<number | null>;
  /** From nothing to running, with the rogue project. */
  readonly deployRogue: (spec: InstanceSpec) => Promise<void>;
  /** Starts an instance anew, for this mischief. @param words further variables of its environment */
  readonly begin: (spec: InstanceSpec, mischief: Mischief, words?: Readonly<Record<string, string>>) => Promise<void>;
  /** What the platform sees, as soon as it is so. */
  readonly seenAs: (what: string, spec: InstanceSpec, isSo: (seen: Observation) => boolean) => Promise<Observation>;
};

/** So little that a limit is met soon, and enough for oTree. */
const narrow = { memoryMib: 200, diskMib: 20, processes: 40 };
const PATIENCE_MS = 150_000;

/** An instance as a mischief is to find it. */
export const withMischief = (spec: InstanceSpec, mischief: Mischief, words: Readonly<Record<string, string>> = {}): InstanceSpec => ({
  ...spec,
  environment: Object.fromEntries(Object.entries({ MISCHIEF: mischief, ...words }).map(([name, value]) => [name, new Secret(value)])),
});

/** The sample with all mischief in it: one project, so that one image serves every test. @param files more of it, or others */
export async function rogueProject(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const read = async (name: string): Promise<string> => await readFile(path.join(import.meta.dirname, name), 'utf8');
  const source = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
  return await projectWith(TRUST_GAME, {
    'mischief.py': await read('swarm-mischief.py'),
    'probe_from_inside.py': await read('swarm-probe.py'),
    'trust_game/__init__.py': `${source}\nimport mischief\nmischief.begin()\n`,
    ...files,
  });
}

/** The bench; who uses it sets `stand` and destroys `quiet`, `rogue` and all strays. */
export function makeSwarmBench(strays: InstanceSpec[]): SwarmBench {
  let project: Promise<string> | undefined;
  const bench: SwarmBench = {
    stand: undefined as unknown as SwarmStand,
    quiet: withMischief(makeSpec(), 'listen'),
    rogue: makeSpec({ limits: narrow }),
    makeStray: () => {
      const stray = makeSpec();
      strays.push(stray);
      return stray;
    },
    inspect: async (spec) => await bench.stand.inspect(spec),
    log: async (spec) => await bench.stand.platform.readLog(spec.instanceId, 1e6),
    answers: async (spec) => {
      const began = performance.now();
      const answer = await bench.stand.platform.askOtree(spec, { method: 'GET', path: '/login', timeoutMs: 30_000 }).catch(() => null);
      return answer?.status === 200 ? Math.round(performance.now() - began) : null;
    },
    deployRogue: async (spec) => {
      project ??= rogueProject();
      await deploy(bench.stand.platform, spec, { dir: await project });
    },
    begin: async (spec, mischief, words) => {
      const { platform } = bench.stand;
      await platform.stop(spec, never);
      await platform.start(withMischief(spec, mischief, words), never);
    },
    seenAs: async (what, spec, isSo) => {
      for (const deadline = Date.now() + PATIENCE_MS; ;) {
        const seen = await stateOf(bench.stand.platform, spec);
        if (isSo(seen)) return seen;
        if (Date.now() > deadline) throw new Error(`not seen in time: ${what}; seen last: ${JSON.stringify(seen)}`);
      }
    },
  };
  return bench;
}
