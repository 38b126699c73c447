// How the contract suite runs against a real Dokku host: one file, patiently. @see scripts/test-dokku.ts

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/contract/real-dokku.suite.ts'],
    globalSetup: ['tests/global-setup.ts'],
    pool: 'forks',
    teardownTimeout: 60_000,
  },
});
