import { readFileSync } from 'node:fs';

/** The counts of some runs of vitest, from the JSON that it writes; a file or a run that did not even begin is a failure. */
interface Run {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[];
}

function count(path: string): { readonly passed: number; readonly failed: number; readonly skipped: number } {
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as Run;
    const broken = run.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
    );
    const failed = run.numFailedTests + broken.length;
    return { passed: run.numPassedTests, failed: failed === 0 && !run.success ? 1 : failed, skipped: run.numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const counts = process.argv.slice(2).map(count);
const sum = (of: (one: (typeof counts)[number]) => number): number => counts.reduce((all, one) => all + of(one), 0);
process.stdout.write(`${sum((one) => one.passed)} passed, ${sum((one) => one.failed)} failed, ${sum((one) => one.skipped)} skipped\n`);
