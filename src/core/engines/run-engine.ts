import { setPriority } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { findProgram, killGroup, startProgram } from '../kernel/process/child-program.ts';
import { isLocalProcess, lifeOf, locate, type ProcessOnMachine } from '../kernel/process/process-identity.ts';
import type { EngineSearch } from './contract.ts';
import { searchPath } from './find-program-in.ts';
import type { MemoryLimit } from './memory-limit.ts';

/** How an engine ended, and the last lines that it printed. */
export interface EngineEnd {
  /** 128 + n for a signal. */
  readonly status: number;
  readonly lines: readonly string[];
}

/** What an engine is run with. */
export interface EngineRun {
  readonly program: string;
  readonly args: readonly string[];
  /** Its working directory; it may write there. */
  readonly work: string;
  readonly where: Pick<EngineSearch, 'env' | 'platform' | 'homeDirectory'>;
  /** Ends the engine, and all that it has started. */
  readonly signal: AbortSignal;
  readonly memoryLimit?: MemoryLimit | undefined;
  /** How many of the last lines are kept (40). */
  readonly keepLines?: number | undefined;
  /** Told each line, without its end; must return at once. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Told who it is before it begins; it begins when this resolves. */
  readonly onStart?: (engine: ProcessOnMachine) => Promise<void>;
}

/** How long an engine may take to end by itself, in milliseconds. */
const graceMs = 10_000;
/** It gives way to everything else: 10 of 19. */
const niceness = 10;

/**
 * Runs an engine to its end, in a process group of its own, with low priority.
 * @throws the reason of the signal, after the whole group has ended; a failure to start it; what `onStart` rejects with
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
    if (!signal.aborted) child.letGo();
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
 * Ends an engine that an earlier process started and did not wait for, and all that it has started. Resolves when none of it is left.
 * One of another machine or container is left alone.
 */
export async function endLeftEngine(engine: ProcessOnMachine): Promise<void> {
  if (!isLocalProcess(engine) || (await lifeOf(engine)) !== 'alive') return;
  killGroup(engine.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (killGroup(engine.pid, 0)) {
    if (performance.now() > deadline) killGroup(engine.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
    // A group that cannot be ended belongs to somebody else by now.
    if (performance.now() > deadline + graceMs) return;
  }
}

/**
 * What an engine sees of the environment: where programs, libraries and the home are. Tokens are not in it, and libraries that would
 * ask Hugging Face are told not to.
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

/** On Linux it also gives way on the disk. */
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
/** Cuts what comes into lines at line feeds and at carriage returns, which bars are drawn with. Memory is bounded. */
export function createLineReader({ onLine = () => undefined, keepLines = 40 }: Pick<EngineRun, 'onLine' | 'keepLines'> = {}): {
  add(from: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** Takes what came last for a line. */
  end(): void;
  /** The last lines that say something. */
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
