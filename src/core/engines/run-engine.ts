import { setPriority } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { findProgram, killGroup, startProgram } from '../kernel/process/child-program.ts';
import { isLocalProcess, lifeOf, locate, type ProcessOnMachine } from '../kernel/process/process-identity.ts';
import type { EngineSearch } from './contract.ts';
import { searchPath } from './find-program-in.ts';
import type { MemoryLimit } from './memory-limit.ts';

/** How an engine ended, and the last lines of its output. */
export interface EngineEnd {
  /** 128 + n after a signal. */
  readonly status: number;
  readonly lines: readonly string[];
}

/** The options of a run. */
export interface EngineRun {
  readonly program: string;
  readonly args: readonly string[];
  /** Its working directory, which it may write to. */
  readonly work: string;
  readonly where: Pick<EngineSearch, 'env' | 'platform' | 'homeDirectory'>;
  /** Ends the engine, and all of its child processes. */
  readonly signal: AbortSignal;
  readonly memoryLimit?: MemoryLimit | undefined;
  /** How many last lines are kept (40). */
  readonly keepLines?: number | undefined;
  /** Called with each line, without its end; must return at once. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Called with its process before it begins; it begins when this resolves. */
  readonly onStart?: (engine: ProcessOnMachine) => Promise<void>;
}

/** How long an engine may take to end after SIGTERM, in milliseconds. */
const graceMs = 10_000;
/** Lower priority than everything else: 10 of 19. */
const niceness = 10;

/**
 * Runs an engine to its end, in its own process group, with low priority.
 * @throws the reason of the signal, after the whole group has ended; a failure to start it; an error of `onStart`
 */
export async function runEngine(run: EngineRun): Promise<EngineEnd> {
  const { program, args, work, where, signal, memoryLimit, keepLines, onLine, onStart } = run;
  signal.throwIfAborted();
  const lines = createLineReader({ onLine, keepLines });
  const [command = program, ...rest] = [...(memoryLimit?.prefix ?? []), ...idlePrefix(where), program, ...args];
  const child = await startProgram(command, rest, {
    env: { ...engineEnvironment(where, work), ...memoryLimit?.env },
    cwd: work,
    output: (chunk, from) => lines.add(from, chunk),
    isGroup: true,
  });
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    timer ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    if (child.identity !== undefined) {
      lowerPriority(child.identity.pid);
      await onStart?.(locate(child.identity));
    }
    if (!signal.aborted) child.proceed();
    const status = await child.status;
    lines.end();
    signal.throwIfAborted();
    return { status, lines: lines.last() };
  } catch (error) {
    child.kill('SIGKILL');
    await child.status.catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/**
 * Ends an engine that a dead process started, and all of its child processes. Resolves when all have ended. Ignores one on another
 * machine or in another container.
 */
export async function endLeftEngine(engine: ProcessOnMachine): Promise<void> {
  if (!isLocalProcess(engine) || (await lifeOf(engine)) !== 'alive') return;
  killGroup(engine.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (killGroup(engine.pid, 0)) {
    if (performance.now() > deadline) killGroup(engine.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
    // A group that cannot be ended belongs to another user by now.
    if (performance.now() > deadline + graceMs) return;
  }
}

/**
 * The environment of an engine: the paths of programs, libraries and the home. It contains no tokens, and disables libraries' requests to
 * Hugging Face.
 */
export function engineEnvironment(
  { env, homeDirectory }: Pick<EngineSearch, 'env' | 'homeDirectory'>,
  work: string,
): Record<string, string> {
  const kept = ['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return {
    PATH: searchPath({ env, homeDirectory }),
    HOME: homeDirectory,
    TMPDIR: join(work, 'tmp'),
    LC_ALL: 'C',
    NO_COLOR: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HOME: join(work, 'hf'),
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    ...Object.fromEntries(kept),
  };
}

/** On Linux, it also has a lower disk priority. */
function idlePrefix({ env, platform, homeDirectory }: EngineRun['where']): readonly string[] {
  if (platform !== 'linux') return [];
  try {
    return [findProgram('ionice', { env: { PATH: searchPath({ env, homeDirectory }) }, cwd: '/' }), '-c', '3', '-t'];
  } catch {
    return [];
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

const maxLineBytes = 8 * 1024;
/** Splits output into lines at line feeds and at carriage returns, which progress bars use. Memory is bounded. */
export function createLineReader({ onLine = () => undefined, keepLines = 40 }: Pick<EngineRun, 'onLine' | 'keepLines'> = {}): {
  add(from: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** Treats the rest as a line. */
  end(): void;
  /** The last lines that are not empty. */
  last(): readonly string[];
} {
  const kept: string[] = [];
  const makeStream = (): { readonly decoder: StringDecoder; rest: string } => ({ decoder: new StringDecoder('utf8'), rest: '' });
  const streams = { stdout: makeStream(), stderr: makeStream() };
  const take = (line: string): void => {
    if (line.trim() === '') return;
    kept.push(line);
    if (kept.length > keepLines) kept.shift();
    onLine(line);
  };
  return {
    add: (from, chunk) => {
      const stream = streams[from];
      const parts = (stream.rest + stream.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))).split(/[\r\n]/);
      stream.rest = (parts.pop() ?? '').slice(0, maxLineBytes);
      for (const part of parts) take(part.slice(0, maxLineBytes));
    },
    end: () => {
      for (const stream of Object.values(streams)) {
        take(stream.rest + stream.decoder.end());
        stream.rest = '';
      }
    },
    last: () => kept,
  };
}
