import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import type { Ask, Engine, EngineName, EngineSearch, FoundEngine, SourceFile } from './contract.ts';
import { llama } from './llama.ts';
import { mlx } from './mlx.ts';
import { optiq } from './optiq.ts';
import { runEngine } from './run-engine.ts';

/** All engines; of those with the same function, the better one first. */
export const engines: readonly Engine[] = [llama, optiq, mlx];

export const engineOf = (name: EngineName): Engine => {
  const found = engines.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no engine ${name}`);
  return found;
};

/** An answer takes milliseconds; a program that does not answer is given up. */
const patienceMs = 60_000;
const maxLines = 10_000;

/** Runs short requests to programs, which leave nothing on the disk. */
export const askWith =
  (where: EngineSearch): Ask =>
  async (program, args) => {
    const work = await mkdtemp(join(tmpdir(), 'skulk-ask-'));
    const timeout = AbortSignal.timeout(patienceMs);
    try {
      return await runEngine({ program, args, work, where, signal: AbortSignal.any([where.signal, timeout]), keepLines: maxLines });
    } catch (error) {
      if (!timeout.aborted || where.signal.aborted) throw error;
      throw new SkulkError('ENGINE_FAILED', `${program} did not answer within ${patienceMs / 1000} s`, {
        hint: 'run it yourself to see why',
        cause: error,
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };

/** The result of a search for an engine: found, missing, or why the found program is unusable. */
export type EngineState =
  | { readonly engine: Engine; readonly is: 'found'; readonly found: FoundEngine }
  | { readonly engine: Engine; readonly is: 'missing' }
  | { readonly engine: Engine; readonly is: 'unfit'; readonly why: string };

/** How long a search result is cached, in milliseconds. */
const knownMs = 60_000;
const known = new Map<string, { readonly state: Promise<EngineState>; readonly until: number }>();

/** Searches for an engine on this machine; a result is cached for a minute. */
export async function detectEngine(engine: Engine, where: EngineSearch): Promise<EngineState> {
  const { env, platform, arch, homeDirectory } = where;
  const key = JSON.stringify([engine.name, env[variableOf(engine)], env['PATH'], platform, arch, homeDirectory]);
  const before = known.get(key);
  if (before !== undefined && before.until > performance.now()) return before.state;
  const state = lookAnew(engine, where);
  known.set(key, { state, until: performance.now() + knownMs });
  // A missing engine may be installed at any moment, so that result is not cached.
  const forget = (): void => void (known.get(key)?.state === state && known.delete(key));
  state.then(({ is }) => is !== 'found' && forget(), forget);
  return state;
}

/** The environment variable that selects the program of an engine. */
export const variableOf = ({ name }: Pick<Engine, 'name'>): string => `SKULK_ENGINE_${name.toUpperCase()}`;

async function lookAnew(engine: Engine, where: EngineSearch): Promise<EngineState> {
  const fits = engine.fits(where);
  if (fits !== true) return { engine, is: 'unfit', why: fits };
  try {
    const found = await engine.find(where, askWith(where));
    return found === undefined ? { engine, is: 'missing' } : { engine, is: 'found', found };
  } catch (error) {
    if (!(error instanceof SkulkError) || where.signal.aborted) throw error;
    return { engine, is: 'unfit', why: error.message };
  }
}

/**
 * Selects the engine for a model: the named one, else the first installed one that can read the files.
 * @throws SkulkError ENGINE_NOT_FOUND, with what to install; CONFLICT if no engine reads such files
 */
export async function chooseEngine(
  files: readonly SourceFile[],
  { named, of, where }: { readonly named: EngineName | undefined; readonly of: string; readonly where: EngineSearch },
): Promise<{ readonly engine: Engine; readonly found: FoundEngine }> {
  const wanted = named === undefined ? engines : [engineOf(named)];
  const able = wanted.filter((engine) => engine.accepts(files) === true);
  if (able.length === 0) {
    const why = wanted.map((engine) => `${engine.name}: ${engine.accepts(files)}`).join('; ');
    throw new SkulkError('CONFLICT', `no engine can read the weights of ${of} (${why})`, {
      hint: '`skulk show` lists the files of a model',
    });
  }
  const states = [];
  for (const engine of able) {
    const state = await detectEngine(engine, where);
    if (state.is === 'found') return { engine, found: state.found };
    states.push(state);
  }
  const whys = states.map((state) => `${state.engine.name}: ${state.is === 'unfit' ? state.why : 'not installed'}`);
  throw new SkulkError('ENGINE_NOT_FOUND', `the store host has no engine that can read ${of} (${whys.join('; ')})`, {
    hint: `install one on the store host: ${able.map(({ name, install }) => `for ${name}, ${install}`).join('; ')}`,
  });
}
