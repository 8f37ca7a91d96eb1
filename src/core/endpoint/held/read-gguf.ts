import { kindsOfFiles } from '../../catalog/selection/file-kind.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HubFacts, HubRepo } from '../contract.ts';
import { findTag } from '../registry/find-tag.ts';

/** For a model with more files, parameters are not added up, because each header is read separately. */
const maxShards = 64;

/**
 * Reads the Hub's data about a repo with GGUF files, from the default quantization among those that the store has. Undefined for other
 * repos, and for a header without data.
 */
export function createGgufReader(store: Pick<LocalStore, 'ggufHeader' | 'cardOf'>): (repo: HubRepo) => Promise<HubFacts['gguf']> {
  const known = new WeakMap<HubRepo, Promise<HubFacts['gguf']>>();
  const read = async ({ id, files }: HubRepo): Promise<HubFacts['gguf']> => {
    const held = files.filter(({ path, isHeld }) => isHeld && /\.gguf/i.test(path));
    if (held.length === 0) return undefined;
    const kinds = kindsOfFiles(held);
    const weights = held.filter(({ path }) => kinds.get(path) === 'gguf');
    const group = findTag(weights, 'latest', (await store.cardOf(id))?.ggufFile);
    if (group === undefined || group.files.length > maxShards) return undefined;
    // The first shard describes the model; each shard has its own number of parameters.
    const headers = await Promise.all(group.files.map(({ path }) => store.ggufHeader(id, path)));
    const { architecture, contextLength, chat } = headers[0] ?? {};
    const counts = headers.map((header) => header?.parameters);
    const total = counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
    if (architecture === undefined) return undefined;
    return {
      ...(total !== undefined && { total }),
      architecture,
      ...(contextLength !== undefined && { context_length: contextLength }),
      ...chat,
    };
  };
  return (repo) => {
    const found = known.get(repo) ?? read(repo).catch(() => undefined);
    known.set(repo, found);
    return found;
  };
}
