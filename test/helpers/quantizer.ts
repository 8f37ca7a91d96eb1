import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import { temporaryDirectory } from './temp-directory.ts';
import { writeTinyLlama } from './tiny-llama.ts';
import { until } from './waiting.ts';

/** A real quantizer with the command line of llama-quantize; see there. */
export const llamaQuantize = fileURLToPath(new URL('../llama/llama-quantize.js', import.meta.url));

/** The same quantizer behind a gate: a run starts, reports its process, and works only when the gate is open. */
export interface GatedQuantizer {
  /** An absolute path. */
  readonly program: string;
  /** Opens the gate for every run. */
  readonly open: () => Promise<void>;
  /** Waits for a run at the gate. @returns its process */
  readonly arrived: () => Promise<number>;
  /** The number of started runs. */
  readonly runs: () => Promise<number>;
}

export async function gatedQuantizer(): Promise<GatedQuantizer> {
  const directory = await temporaryDirectory();
  const [program, gate, pids] = ['llama-quantize', 'gate', 'pids'].map((name) => join(directory, name)) as [string, string, string];
  await writeFile(gate, '');
  await writeFile(
    program,
    `#!/bin/sh
case " $* " in
  *" --help "* | *" --dry-run "* | *no-such-model*) ;;
  *) echo $$ >> '${pids}'; while [ -e '${gate}' ]; do sleep 0.05; done ;;
esac
exec '${llamaQuantize}' "$@"
`,
  );
  await chmod(program, 0o755);
  const open = (): Promise<void> => rm(gate, { force: true });
  // A run that a failed test leaves at the gate must not stay there for ever.
  atEnd(open);
  const read = async (): Promise<readonly number[]> =>
    (await readFile(pids, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number);
  return {
    program,
    open,
    arrived: () => until('a run of the quantizer', async () => (await read()).at(-1)),
    runs: async () => (await read()).length,
  };
}

/** The same quantizer, which changes its result (`$result`) and reports success. @param script a shell script */
export async function spoilingQuantizer(script: string): Promise<string> {
  const program = join(await temporaryDirectory(), 'llama-quantize');
  await writeFile(
    program,
    `#!/bin/sh
'${llamaQuantize}' "$@" || exit $?
for word; do case $word in */out/*.gguf) result=$word; ${script};; esac; done
`,
    { mode: 0o755 },
  );
  return program;
}

/** Whether a process is alive. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A directory with a small model of full weights. */
export async function fullWeights(name = 'tiny', size: { layers?: number; width?: number } = { layers: 1, width: 256 }): Promise<string> {
  const directory = join(await temporaryDirectory(), name);
  await mkdir(directory);
  await writeTinyLlama(join(directory, `${name}-F32.gguf`), size);
  await writeFile(join(directory, 'README.md'), '# A model of the tests\n');
  await writeFile(join(directory, 'LICENSE'), 'MIT\n');
  return directory;
}
