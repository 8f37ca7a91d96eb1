import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Asks a yes-or-no question on stderr; everything but y and yes is no, and so is the end of the input. */
export async function confirm(
  question: string,
  { input, terminal, signal }: { input: NodeJS.ReadableStream; terminal: Terminal; signal: AbortSignal },
): Promise<boolean> {
  const lines = createInterface({ input, output: terminal.stderr });
  try {
    const ended = new Promise<string>((resolve) => void lines.once('close', () => resolve('')));
    // In its own mode the terminal hands Ctrl-C to readline, which closes: a no.
    const answer = await Promise.race([lines.question(`${terminal.clean(question)} [y/N] `, { signal }), ended]);
    return /^(?:y|yes)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
