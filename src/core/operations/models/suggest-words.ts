import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { isModelId } from '../../kernel/model-id.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';

/** The kinds of words that a shell can complete. */
export type WordKind = 'models' | 'nodes' | 'tags';

/** The time limit for a completion, in milliseconds. */
const patienceMs = 1_500;
const maxWords = 1_000;
/** Words that need no quotes in any shell: data from another machine must not become a command. */
const plainWord = /^[A-Za-z0-9][\w.-]*$/;

/**
 * Completes a word in a shell: models of the store and of this machine; after a colon, the quantizations of a model; nodes; tags. Returns
 * no words of a store that does not answer within 1.5 seconds. Never fails, except when interrupted.
 */
export async function suggestWords(
  deps: Deps,
  { kind, prefix }: { readonly kind: WordKind; readonly prefix: string },
): Promise<readonly string[]> {
  const signal = AbortSignal.any([deps.world.signal, AbortSignal.timeout(patienceMs)]);
  const quiet: Deps = { ...deps, world: { ...deps.world, signal, emit: () => undefined } };
  const lists = await Promise.all([inStore(quiet, kind, prefix), kind === 'models' && !prefix.includes(':') ? stagedHere(deps) : []]);
  if (deps.world.signal.aborted) throw deps.world.signal.reason;
  const words = new Set(lists.flat().filter((word) => word.toLowerCase().startsWith(prefix.toLowerCase())));
  return [...words].toSorted().slice(0, maxWords);
}

async function inStore(deps: Deps, kind: WordKind, prefix: string): Promise<readonly string[]> {
  try {
    await using opened = await openStore(deps);
    if (kind === 'nodes')
      return (await (await opened.fleet()).nodes()).flatMap(({ node_id, hostname }) => [hostname, node_id]).filter(isPlain);
    const entries = await opened.store.listDescribed();
    if (kind === 'tags') return entries.flatMap(({ tags }) => tags).filter(isPlain);
    const id = prefix.includes(':') ? prefix.slice(0, prefix.indexOf(':')) : undefined;
    if (id === undefined) return entries.map(({ model_id }) => model_id).filter(isModelId);
    const { quantizations = [] } = entries.find(({ model_id }) => model_id === id) ?? {};
    return quantizations.filter(isPlain).map((selector) => `${id}:${selector}`);
  } catch (error) {
    if (error instanceof SkulkError || deps.world.signal.aborted) return [];
    throw error;
  }
}

const isPlain = (word: string): boolean => plainWord.test(word);

const stagedHere = async ({ config }: Deps): Promise<readonly string[]> =>
  (await listCopies(stagingLayout(config.settings.nodeCachePath.value))).copies.map(({ modelId }) => modelId);
