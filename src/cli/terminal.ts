import { isSystemError } from '../core/kernel/errors.ts';
import { explainSystemError } from '../core/kernel/explain-system-error.ts';
import type { Host, HostOutput } from './host.ts';
import { redact } from './redact.ts';
import { inColor, type Paint, wantsColor, withoutColor } from './render/paint.ts';
import { wrapLines } from './render/wrap-words.ts';
import { safeText } from './safe-text.ts';

/** The output of a command. Text for stderr is redacted and escaped. */
export interface Terminal {
  readonly stderr: HostOutput;
  readonly columns: number | undefined;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Whether stderr gets colours. */
  readonly color: boolean;
  /** Colours parts of results if stdout gets colours. */
  readonly paint: Paint;
  /** Writes a text and a line end to stdout. A closed reader (`| head -1`) is not an error. */
  print(text: string): Promise<void>;
  /** Writes a line to stderr. */
  say(line: string): void;
  /** A line without secrets and control characters. */
  clean(line: string): string;
  /** A line as `say` would write it: clean, and wrapped between words on a terminal. */
  present(line: string): string;
  /** Uses the whole terminal until the returned function is called, or until `vacate` is called, which calls `leave`. */
  occupy(leave: () => void): () => void;
  /** Ends the drawing, so that a message does not disappear with it. */
  vacate(): void;
  /** From now on, never shows this secret. */
  hide(secret: string | undefined): void;
}

/** Makes the terminal of a host. */
export function makeTerminal(
  { stdout, stderr, env }: Host,
  { noColor, secrets }: { noColor: boolean; secrets: readonly string[] },
): Terminal {
  const hidden = new Set<string | undefined>([...secrets, env['SKULK_TOKEN'], env['HF_TOKEN']]);
  let leaveDrawing: (() => void) | undefined;
  const clean = (line: string): string => safeText(redact(line, hidden));
  const present = (line: string): string =>
    stderr.isTTY === true ? wrapLines(clean(line), stderr.columns ?? stdout.columns) : clean(line);
  // Without a listener, a closed reader would end the process with a stack trace.
  for (const stream of new Set([stdout, stderr])) if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  return {
    stderr,
    columns: stdout.columns,
    stdoutIsTerminal: stdout.isTTY === true,
    stderrIsTerminal: stderr.isTTY === true,
    color: wantsColor(env, { isTerminal: stderr.isTTY === true, noColor }),
    paint: wantsColor(env, { isTerminal: stdout.isTTY === true, noColor }) ? inColor : withoutColor,
    print: (text) => write(stdout, text),
    say: (line) => void stderr.write(`${present(line)}\n`),
    clean,
    present,
    occupy: (leave) => {
      leaveDrawing = leave;
      return () => {
        leaveDrawing = undefined;
      };
    },
    vacate: () => {
      leaveDrawing?.();
      leaveDrawing = undefined;
    },
    hide: (secret) => void hidden.add(secret),
  };
}

function write(stream: HostOutput, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text === '' ? '' : `${text}\n`, (error) => {
      if (!error || isSystemError(error, 'EPIPE', 'ERR_STREAM_DESTROYED')) resolve();
      else reject(explainSystemError(error, 'cannot write the result'));
    });
  });
}
