import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A shell that runs programs for a test. */
export interface SmallShell {
  /** Runs a program to its end, after those before it. @returns its output; an error with the output if its status is not 0 */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  readonly end: () => Promise<void>;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Starts a shell for many short programs. The system copies the page tables of the process that starts a program, which takes a process of
 * tests some 10 ms each time, and a shell next to nothing.
 */
export function smallShell(): SmallShell {
  const child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const waiting: { readonly name: string; readonly end: (status: string, output: string) => void }[] = [];
  let parts: Buffer[] = [];
  let output: string | undefined;
  // The output of each program, and its status, end with a NUL.
  child.stdout.on('data', (data: Buffer) => {
    let rest = data;
    for (let at = rest.indexOf(0); at !== -1; at = rest.indexOf(0)) {
      const text = Buffer.concat([...parts, rest.subarray(0, at)]).toString('utf8');
      parts = [];
      rest = rest.subarray(at + 1);
      if (output === undefined) output = text;
      else {
        waiting.shift()?.end(text, output);
        output = undefined;
      }
    }
    parts.push(rest);
  });
  child.stdin.on('error', () => undefined);
  void closed.then(() => {
    for (const { end, name } of waiting.splice(0)) end('?', `the shell ended before ${name}`);
  });
  return {
    run: (program, ...args) =>
      new Promise((resolve, reject) => {
        const name = [program, ...args].join(' ');
        const end = (status: string, text: string): void => {
          if (status === '0') resolve(text);
          else reject(new Error(`${name} ended with ${status}: ${text}`));
        };
        if (child.exitCode !== null || child.signalCode !== null) return end('?', 'the shell has ended');
        waiting.push({ name, end });
        child.stdin.write(`${[program, ...args].map(quote).join(' ')} 2>&1 </dev/null; printf '\\0%s\\0' "$?"\n`);
      }),
    end: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
