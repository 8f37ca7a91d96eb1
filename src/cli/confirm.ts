import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Asks a yes-or-no question on stderr. Every answer except y and yes means no, and the end of the input does too. */
export async function confirm(
  question: string,
  { input, terminal, signal }: { input: NodeJS.ReadableStream; terminal: Terminal; signal: AbortSignal },
): Promise<boolean> {
  const lines = createInterface({ input, output: terminal.stderr });
  try {
    const ended = new Promise<string>((resolve) => void lines.once('close', () => resolve('')));
    // In raw mode, Ctrl-C makes readline close, which means no.
    const answer = await Promise.race([lines.question(`${terminal.clean(question)} [y/N] `, { signal }), ended]);
    return /^(?:y|yes)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
