// A report on a Docker Engine for tests that judge one: all is well unless the test says so.

import type { EngineFacts, EngineReport } from '../contracts/engine.ts';

export const engineFacts = (more: Partial<EngineFacts> = {}): EngineFacts => ({
  version: '27.3.1',
  isRecent: true,
  swarm: 'manager',
  swarmAddress: '127.0.0.1',
  hosts: 1,
  hasLiveRestore: false,
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  limits: { memory: true, swap: true, processes: true, processor: true },
  rootDir: '/var/lib/docker',
  disk: { freeMib: 90_000, totalMib: 100_000 },
  baseImages: [{ name: 'python:3.12-slim-bookworm', sizeBytes: 130 * 1024 ** 2 }],
  postgresImage: null,
  imagesBytes: 3 * 1024 ** 3,
  ownImages: 4,
  running: 0,
  serving: [],
  registry: null,
  ...more,
});

export const engineReport = (facts: Partial<EngineFacts> = {}, more: Partial<EngineReport> = {}): EngineReport => ({
  socket: '/var/run/docker.sock',
  isRoot: true,
  answer: 'answers',
  rights: { owner: 'root', group: 'docker', mode: '0660', members: [] },
  facts: engineFacts(facts),
  ...more,
});

export const noEngine: EngineReport = { socket: '/var/run/docker.sock', isRoot: true, answer: 'absent', rights: null, facts: null };
