import { loadConfig } from '../core/config/load.ts';
import { createConnections } from '../core/connect/connections.ts';
import type { Deps } from '../core/connect/deps.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import type { SkulkEvent } from '../core/kernel/flow/events.ts';
import { guardMount } from '../core/kernel/machine/known-mounts.ts';
import { parseNodeId } from '../core/kernel/machine/node-id.ts';
import type { World } from '../core/kernel/world.ts';
import { type Call, createCalls } from './calls.ts';
import type { CallOptions, OpenOptions, PurgeNodesOptions, PurgeOptions, RunOptions, Skulk, StageOptions } from './contract.ts';
import {
  readArguments,
  readFileOptions,
  readGgufFile,
  readList,
  readModelId,
  readModelRef,
  readNumber,
  readOutput,
  readRevision,
  readText,
} from './read-input.ts';

/** The data of this process; each call has the rest of its `World`. */
export type Surroundings = Omit<World, 'signal' | 'emit' | 'now'>;

/**
 * Opens skulk in the given environment. The configuration is read at once, so that a bad one fails here, and again by each call.
 * @throws SkulkError CONFIG
 */
export async function open(surroundings: Surroundings, { config, store, token, signal, onEvent }: OpenOptions): Promise<Skulk> {
  const calls = createCalls({ signal, onEvent });
  const emitted = new Set<string>();
  // Messages of a lookup belong to no call.
  const connections = createConnections({ ...surroundings, now: () => new Date(), signal: calls.signal, emit: () => undefined });
  const prepare = async ({ signal: ofCall, emit }: Call): Promise<Deps> => {
    const world: World = { ...surroundings, now: () => new Date(), signal: ofCall, emit };
    // Messages about the configuration are reported once, and not by each call.
    const loading = await loadConfig({ ...world, emit: (event) => emitOnce(event, emitted, emit) }, { config, store, token });
    await guardMount(loading.skulkHome, loading.settings.nodeCachePath.value);
    return { world, config: loading, connections };
  };
  await calls.make({}, prepare);
  const make = <T>(options: CallOptions, work: (deps: Deps, call: Call) => Promise<T>): Promise<T> =>
    calls.make(options, async (call) => await work(await prepare(call), call));
  const close = async (): Promise<void> => {
    await calls.close();
    connections[Symbol.dispose]();
  };
  const verbs = { ...copyVerbs(make), ...downloadVerbs(make), ...storeVerbs(make), close, [Symbol.asyncDispose]: close };
  // The overloads of the contract declare which option has which result.
  return verbs as Skulk;
}

type Make = <T>(options: CallOptions, work: (deps: Deps, call: Call) => Promise<T>) => Promise<T>;

function emitOnce(event: SkulkEvent, emitted: Set<string>, emit: (event: SkulkEvent) => void): void {
  const key = JSON.stringify(event);
  if (emitted.has(key)) return;
  emitted.add(key);
  emit(event);
}

/** The methods for this machine's copies. */
function copyVerbs(make: Make) {
  return {
    stage: (models: string | readonly string[], options: StageOptions & { readonly dryRun?: boolean } = {}) =>
      make(options, async (deps) => {
        const { force = false, offline = false, direct = false, dryRun = false, noSwarm = false, limitRate, keepMs, connections } = options;
        const request = {
          refs: readList(models, readModelRef),
          ...{ force, offline, direct, dryRun, noSwarm },
          ...(limitRate !== undefined && { limitRate: readNumber(limitRate, 'limitRate', { from: 1 }) }),
          ...(keepMs !== undefined && { keepMs: readNumber(keepMs, 'keepMs', { from: 1 }) }),
          ...(connections !== undefined && { connections: readNumber(connections, 'connections', { from: 1, to: 32 }) }),
        };
        const { stageModels } = await import('../core/operations/stage/stage.ts');
        return await stageModels(deps, request);
      }),
    run: (model: string, command: string, args: readonly string[] = [], options: RunOptions = {}) =>
      make(options, async (deps, { signal, notify }) => {
        const { offline = false, direct = false, noSwarm = false, limitRate } = options;
        const output = readOutput(options.output);
        const program = [readText(command, 'the program'), ...readArguments(args)];
        const request = { ref: readModelRef(model), command: program, offline, direct, noSwarm };
        const { runModel } = await import('../core/operations/stage/run-model.ts');
        return await runModel(deps, {
          ...request,
          ...(limitRate !== undefined && { limitRate: readNumber(limitRate, 'limitRate', { from: 1 }) }),
          output: typeof output === 'function' ? (chunk, from) => notify(() => output(chunk, from)) : output,
          takeSignals: (listener) => {
            const onAbort = (): void => listener('SIGTERM');
            if (signal.aborted) onAbort();
            signal.addEventListener('abort', onAbort);
            return () => signal.removeEventListener('abort', onAbort);
          },
        });
      }),
    staging: (options: CallOptions = {}) =>
      make(options, async (deps) => (await import('../core/operations/nodes/list-staging.ts')).listStaging(deps)),
    purge: (options: PurgeOptions & Partial<PurgeNodesOptions> = {}) =>
      make<unknown>(options, async (deps) => {
        const { model, nodes, force = false, dryRun = false } = options;
        const refs = model === undefined ? [] : readList(model, readModelRef);
        if (nodes === undefined) {
          const { purgeStaging } = await import('../core/operations/nodes/purge-staging.ts');
          return await purgeStaging(deps, { force, dryRun, refs });
        }
        if (dryRun) throw new SkulkError('USAGE', 'dryRun cannot show what other machines would remove', { hint: 'omit one of them' });
        const named = nodes === 'all' ? undefined : readList(nodes, (one) => parseNodeId(readText(one, 'a node')));
        const { purgeEverywhere } = await import('../core/operations/nodes/purge-everywhere.ts');
        const { known: _, ...report } = await purgeEverywhere(deps, {
          refs,
          force,
          ...(named !== undefined && { nodes: named }),
        });
        return report;
      }),
  };
}

/** The methods for the store's downloads. */
function downloadVerbs(make: Make): Pick<Skulk, 'download' | 'downloads' | 'downloadStatus' | 'cancelDownload'> {
  const operations = () => import('../core/operations/models/downloads.ts');
  return {
    download: (model, options = {}) =>
      make(options, async (deps) => {
        const { modelId, selector, ...ref } = readModelRef(model);
        const revision = readRevision(options.revision);
        if (revision !== undefined && ref.revision !== undefined && revision !== ref.revision)
          throw new SkulkError('USAGE', `two revisions given: ${ref.revision} and ${revision}`, { hint: 'use only one of them' });
        const named = { modelId, selector, revision: revision ?? ref.revision, ggufFile: readGgufFile(options.ggufFile) };
        const request = { ...named, ...readFileOptions(options), exact: true, strict: options.strict };
        return await (await operations()).download(deps, { request, wait: options.wait ?? true });
      }),
    downloads: (options = {}) => make(options, async (deps) => (await operations()).listDownloads(deps, { recent: true })),
    downloadStatus: (model, options = {}) => make(options, async (deps) => (await operations()).downloadStatus(deps, readModelRef(model))),
    cancelDownload: (model, options = {}) => make(options, async (deps) => (await operations()).cancelDownload(deps, readModelRef(model))),
  };
}

/** The methods for the store. */
function storeVerbs(make: Make) {
  const rest: Pick<Skulk, 'add' | 'registry' | 'show' | 'health' | 'verify'> = {
    add: (path, options) =>
      make(options ?? {}, async (deps) => {
        const { as, move = false, force = false, strict = false, revision } = options ?? {};
        const request = {
          path: readText(path, 'the path'),
          modelId: readModelId(as),
          revision: readRevision(revision),
          move,
          force,
          strict,
        };
        return await (await import('../core/operations/models/add.ts')).addModel(deps, request);
      }),
    registry: (options = {}) =>
      make(options, async (deps) => {
        const { listRegistry } = await import('../core/operations/models/list-registry.ts');
        return await listRegistry(deps, { tags: options.tags ?? [] });
      }),
    show: (model, options = {}) =>
      make(options, async (deps) => {
        const { showModel } = await import('../core/operations/models/show-model.ts');
        return await showModel(deps, readModelRef(model));
      }),
    health: (options = {}) => make(options, async (deps) => (await import('../core/operations/store/check-health.ts')).checkHealth(deps)),
    verify: (models, options = {}) =>
      make(options, async (deps) => {
        const { staging = false, repair = false } = options;
        const refs = models === undefined ? [] : readList(models, readModelRef);
        const { verifyModels } = await import('../core/operations/models/verify-models.ts');
        return await verifyModels(deps, { refs, staging, repair });
      }),
  };
  return {
    ...rest,
    delete: (models: string | readonly string[], options: CallOptions & { readonly force?: boolean; readonly dryRun?: boolean } = {}) =>
      make<unknown>(options, async (deps) => {
        const refs = readList(models, readModelRef);
        const { deleteModels } = await import('../core/operations/models/delete-models.ts');
        const { planDeletion } = await import('../core/operations/models/plan-deletion.ts');
        // A wrong name must be reported before the first model is deleted.
        const plan = await planDeletion(deps, { refs });
        if (options.dryRun) return { models: plan.models, dry_run: true };
        const { orders: _, removed: __, known: ___, ...report } = await deleteModels(deps, { refs, force: options.force ?? false });
        return report;
      }),
  };
}
