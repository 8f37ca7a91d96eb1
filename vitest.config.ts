import { globSync, readFileSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';
import { patienceMs } from './test/helpers/waiting.ts';

/** A tier of the tests, chosen by the names of their files: CONTRIBUTING.md says which tier a test belongs to. */
const tier = (name: string, include: readonly string[], more: object = {}): { extends: true; test: object } => ({
  extends: true,
  test: { name, include, ...more },
});

const longOrUnit = 'test/**/*.{unit,long}.test.{ts,tsx}';

/** Files that replace a module for themselves: it must not be in the process already, and no other file may find the substitute. */
const withMocks = globSync('test/**/*.test.ts', { exclude: [longOrUnit] }).filter((file) =>
  /^vi\.mock\(/m.test(readFileSync(file, 'utf8')),
);

/** Twice the processors: half of the time a file waits for a disk, a browser or a timer. */
const usualWorkers = 4;

/**
 * The bytes that tests send and read are outside of the JavaScript heap. By default every 64 MB of them make V8 collect the whole heap, which
 * was a fifth of the work of a process of tests. Now they count like the heap, which may grow first. Older Node does not know the first flag.
 */
const isNode24 = Number(process.versions.node.split('.')[0]) >= 24;
const execArgv = isNode24 ? ['--external-memory-accounted-in-global-limit', '--initial-heap-size=128'] : [];

export default defineConfig({
  test: {
    // As many files at once as a small machine has processors: most tests start processes of their own.
    maxWorkers: 2,
    setupFiles: ['test/helpers/setup.ts'],
    // No test is about how long it takes. A wait that is in vain says so itself (`test/helpers/waiting.ts`), long before these.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    // What was built runs as it is, whoever imports it.
    server: { deps: { external: [/\/dist\//] } },
    expect: { poll: { timeout: patienceMs } },
    // A group may consist of tests of one form only (`test/helpers/seeded.ts`).
    passWithNoTests: true,
    reporters: ['default', './test/helpers/report-skipped-tests.ts'],
    projects: [
      // Nothing of these is left behind in the process, so that one process runs them all.
      tier('unit', ['test/**/*.unit.test.{ts,tsx}'], {
        isolate: false,
        maxWorkers: 3,
        sequence: { groupOrder: 0 },
      }),
      tier('usual', ['test/**/*.test.{ts,tsx}'], {
        // A process for each file takes 0.7 s more of a processor for the file, and there are 170: it loads and compiles the program anew.
        isolate: false,
        maxWorkers: usualWorkers,
        execArgv,
        // vitest wants tiers with different numbers of workers one after the other.
        sequence: { groupOrder: 1 },
        exclude: [...configDefaults.exclude, longOrUnit, ...withMocks],
      }),
      tier('alone', withMocks, { maxWorkers: usualWorkers, sequence: { groupOrder: 1 } }),
      tier('long', ['test/**/*.long.test.ts'], {
        env: { SKULK_TEST_LONG: '1' },
        testTimeout: 3_600_000,
        // A third of the time a process of these waits for a lease, a heartbeat or a disk.
        maxWorkers: 3,
        sequence: { groupOrder: 2 },
      }),
      // No tests: it takes the pictures in docs/, and is pointed at a machine that is dressed up for them.
      ...(process.env['SKULK_SCREENSHOTS'] === undefined ? [] : [tier('camera', ['test/web/*.camera.ts'])]),
    ],
  },
});
