// How tests run: in processes of their own, two at a time, on one throw-away ground (tests/global-setup.ts).

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    exclude: ['**/node_modules/**', 'tests/projects/**'],
    globalSetup: ['tests/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Real services: a first build or a browser may take its time on a small machine.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
    // A busy machine answers late: the limit of a test ends what never comes.
    expect: { poll: { timeout: 30_000 } },
    passWithNoTests: false,
  },
});
