import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { makeReporter } from '../../src/cli/render/progress.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

const mib = 1024 * 1024;

test('bytes that were present before a stage resumed do not count for its rate', () => {
  const lines: string[] = [];
  const terminal = { say: (line: string) => void lines.push(line), clean: (line: string) => line, stderrIsTerminal: false };
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
  expect(lines.at(-1)).toContain(', 10.0 MiB/s, 16 s left');
});
