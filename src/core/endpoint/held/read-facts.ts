import type { LocalStore } from '../../store/local-store.ts';
import type { HubFacts, HubRepo } from '../contract.ts';

/** The number of bytes of a card to read. Its front matter is at the beginning. */
const maxBytes = 128 * 1024;
/** The number of cached cards. */
const maxKnown = 256;

/** Reads the model card of a repo, if the store has it; undefined if there is none. */
export function createFactsReader(store: Pick<LocalStore, 'openFile'>): (repo: HubRepo) => Promise<HubFacts | undefined> {
  const known = new Map<string, HubFacts>();
  const read = async (repo: HubRepo): Promise<HubFacts | undefined> => {
    const card = repo.byPath.get('README.md');
    if (card === undefined || !card.isHeld) return undefined;
    const before = known.get(card.oid);
    if (before !== undefined) return before;
    const [{ readFrontMatter }, text] = await Promise.all([import('../view/front-matter.ts'), readBeginning(store, repo)]);
    const facts = readFrontMatter(text);
    if (text !== '') known.set(card.oid, facts);
    if (known.size > maxKnown) known.delete(known.keys().next().value ?? card.oid);
    return facts;
  };
  return async (repo) => {
    const facts = await read(repo);
    const formats = formatsOf(repo.files.map(({ path }) => path));
    if (facts === undefined) return formats.length === 0 || !repo.files.some(({ isHeld }) => isHeld) ? undefined : { tags: formats };
    return { ...facts, tags: [...new Set([...formats, ...facts.tags])] };
  };
}

/** The formats of weights among some files, by which clients filter models. Pure. */
export const formatsOf = (paths: readonly string[]): readonly string[] =>
  ['gguf', 'safetensors'].filter((format) => paths.some((path) => path.toLowerCase().endsWith(`.${format}`)));

/** An unreadable card counts as empty. */
async function readBeginning(store: Pick<LocalStore, 'openFile'>, { id }: HubRepo): Promise<string> {
  try {
    await using file = await store.openFile(id, 'README.md');
    const buffer = Buffer.alloc(Math.min(maxBytes, file.size));
    const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}
