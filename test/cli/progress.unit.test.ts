import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { makeReporter } from '../../src/cli/render/progress.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

const mib = 1024 * 1024;

test('bytes that were present before a stage resumed do not count for its rate', () => {
  const lines: string[] = [];
  const terminal = {
    say: (line: string) => void lines.push(line),
    clean: (line: string) => line,
    present: (line: string) => line,
    stderrIsTerminal: false,
  };
  let now = 0;
  const reporter = makeReporter({ ...terminal, stderr: new PassThrough() } as unknown as Terminal, {
    quiet: false,
    verbose: false,
    progress: true,
    clock: () => now,
  });
  const at = (milliseconds: number, bytesDone: number, bytesAtHand: number): void => {
    now = milliseconds;
    reporter.emit({ type: 'progress', doing: 'staging', subject: 'org/m', bytesDone, bytesTotal: 1000 * mib, bytesAtHand });
  };
  at(0, 0, 0);
  at(500, 400 * mib, 400 * mib);
  at(1000, 800 * mib, 800 * mib);
  at(5000, 840 * mib, 800 * mib);
  expect(lines.at(-1)).toMatch(/, 10\.0 MiB\/s\)$/);
  at(9000, 880 * mib, 800 * mib);
  expect(lines.at(-1)).toContain(', 10.0 MiB/s, 12 s left');
});

test('a connection without data has no rate and no time left', () => {
  const lines: string[] = [];
  const terminal = {
    say: (line: string) => void lines.push(line),
    clean: (line: string) => line,
    present: (line: string) => line,
    stderrIsTerminal: false,
  };
  let now = 0;
  const reporter = makeReporter({ ...terminal, stderr: new PassThrough() } as unknown as Terminal, {
    quiet: false,
    verbose: false,
    progress: true,
    clock: () => now,
  });
  const at = (seconds: number, bytesDone: number): string => {
    now = seconds * 1000;
    reporter.emit({ type: 'progress', doing: 'downloading', subject: 'org/m', bytesDone, bytesTotal: 140_000 * mib });
    return lines.at(-1) ?? '';
  };
  at(0, 0);
  // A few bytes arrived, and all at once.
  expect(at(4, 400)).toBe('downloading org/m: 0% (400 B of 137 GiB, 100 B/s)');
  expect(at(8, 400 * mib)).toMatch(/100\.0 MiB\/s, 23 min 17 s left\)$/);
  expect(at(12, 400 * mib)).toContain(' left');
  expect(at(19, 400 * mib)).toBe('downloading org/m: 0% (400 MiB of 137 GiB)');
});
