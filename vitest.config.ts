import { defineConfig } from 'vitest/config';
import { patienceMs } from './test/helpers/waiting.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Two files at once: most tests start processes of their own.
    maxWorkers: 2,
    setupFiles: ['test/helpers/setup.ts'],
    // No test is about how long it takes: a wait that is in vain says so itself (`test/helpers/waiting.ts`), long before these.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: patienceMs } },
  },
});
