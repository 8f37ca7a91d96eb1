import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The counts of some runs of vitest, from its JSON output; a file or a run that did not start is a failure. */
interface Run {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages?: readonly string[];
  }[];
}

/** The failures: the name of a test with its file, of a file, or of a run. */
interface Failure {
  readonly name: string;
  readonly message: string;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/** Long enough to recognize an error, and short enough for every log. */
const shownFailures = 20;
const shownLines = 30;
const shownColumns = 400;

function count(path: string): Counts {
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as Run;
    const failures = run.testResults.flatMap(failuresOf);
    if (failures.length === 0 && !run.success)
      failures.push({ name: `the run of ${basename(path, '.json')}`, message: 'It failed outside of its tests; its own output says why.' });
    return { passed: run.numPassedTests, failed: Math.max(run.numFailedTests, failures.length), skipped: run.numPendingTests, failures };
  } catch (error) {
    const failure = { name: `the run of ${basename(path, '.json')}`, message: `It left no results: ${String(error)}` };
    return { passed: 0, failed: 1, skipped: 0, failures: [failure] };
  }
}

function failuresOf({ name, status, message, assertionResults }: TestFile): Failure[] {
  const file = relative('.', name);
  const failed = assertionResults
    .filter((one) => one.status === 'failed')
    .map(({ fullName, failureMessages = [] }) => ({ name: `${file}: ${fullName}`, message: failureMessages.join('\n') }));
  return failed.length === 0 && status === 'failed' ? [{ name: file, message }] : failed;
}

const shortened = (message: string): string[] => {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => !/^\s+at (new Promise \(<anonymous>\)|.*node_modules\/vitest)/.test(line))
    .map((line) => (line.length > shownColumns ? `${line.slice(0, shownColumns)} …` : line));
  return lines.length > shownLines ? [...lines.slice(0, shownLines), `… ${lines.length - shownLines} more lines`] : lines;
};

const write = (...lines: readonly string[]): unknown => process.stdout.write(`${lines.join('\n')}\n`);

const counts = process.argv.slice(2).map(count);
const failures = counts.flatMap((one) => one.failures);
for (const { name, message } of failures.slice(0, shownFailures))
  write(`FAILED ${name}`, ...shortened(message).map((line) => `  ${line}`), '');
// The names once more without their messages, so that the end of a log has all of them.
if (failures.length > 1) write(`${failures.length} failed:`, ...failures.map(({ name }) => `  ${name}`));

const sum = (of: (one: Counts) => number): number => counts.reduce((all, one) => all + of(one), 0);
write(`${sum((one) => one.passed)} passed, ${sum((one) => one.failed)} failed, ${sum((one) => one.skipped)} skipped`);
