// The gate of an instance when a newer container of it reports, because the host of the older one is lost, and what it notes of what they say.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../scripts/binaries.ts';
import { runOrThrow } from '../../scripts/run.ts';

const root = path.join(import.meta.dirname, '..', '..');

it('whoever waits for an answer of a lost host is let go at once, the next one gets to the newer container, the older one is told to end, and nonsense is noted as nothing', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'arb-gate-'));
  try {
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const scene = ['python3', path.join(import.meta.dirname, 'gate-scene.py'), path.join(root, 'launcher', 'gate.py'), folder];
    const output = await runOrThrow(
      { file: findProgram('unshare') ?? '/usr/bin/unshare', args: ['--net', ...asRoot, ...scene], timeoutMs: 100_000 },
      'the scene',
    );
    expect(JSON.parse(output)).toEqual({
      'who waited': '',
      'the old one': { replaced: true },
      'who comes next': 'the new one',
      'the old one, once more': { replaced: true },
      'the old one, at a gate that was started anew': { replaced: true },
      'who comes to that gate': 'the new one',
      'what the old one used': { container: 'old', memory: 90_000_000, cpu: 1234.5 },
      'what nonsense becomes': [null],
      'what the new one uses': { container: 'new', memory: 7, cpu: 0.5 },
      'and after the line was lost': { container: 'new', memory: 8, cpu: null },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
