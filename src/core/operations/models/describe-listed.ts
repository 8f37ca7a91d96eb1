import { collectTraits, maxSmallBytes } from '../../catalog/collect-traits.ts';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import { loadableGguf } from '../../catalog/selection/groups.ts';
import type { RelativePath } from '../../kernel/files/relative-path.ts';
import { mapConcurrently } from '../../kernel/flow/concurrency.ts';
import type { Traits } from '../../protocol/models/entries.ts';
import { readGgufFactsOfBytes } from '../../store/facts/read-gguf-facts.ts';
import type { ListedFiles, ListedModel } from '../../store/listed-contract.ts';

/** What the files of a model tell, in a store that reports only their names. */
export interface DescribedList {
  /** In bytes, by path; files without a known size are absent. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly traits: Traits;
}

/** Each size takes a request, so the sizes of a longer list stay unknown. */
const maxMeasured = 500;
const requestsAtOnce = 8;
/** A head with a vocabulary of 262,000 words is shorter. */
const maxGgufHead = 16 * 1024 * 1024;

/** Asks such a store for the sizes of a model's files, and reads the small ones. What cannot be read stays unknown. */
export async function describeListed(source: ListedFiles, model: ListedModel, signal: AbortSignal): Promise<DescribedList> {
  const { modelId, files } = model;
  const orNothing = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch(() => {
      signal.throwIfAborted();
      return undefined;
    });
  const sizes = new Map<string, number>();
  if (files.length <= maxMeasured)
    await mapConcurrently(files, requestsAtOnce, async (path) => {
      const size = await orNothing(source.measure(model, path, signal));
      if (size !== undefined) sizes.set(path, size);
    });
  const bytesOf = async (path: string, start: number, length: number): Promise<Buffer | undefined> => {
    const size = sizes.get(path);
    if (size === undefined || start + length > size) return undefined;
    const chunks: Buffer[] = [];
    const range = { start, end: start + length };
    for await (const bytes of source.read({ ...model, path: path as RelativePath, size }, range, signal)) chunks.push(Buffer.from(bytes));
    return Buffer.concat(chunks);
  };
  const part = (path: string, start: number, length: number) => orNothing(bytesOf(path, start, length));
  const text = async (path: string): Promise<string | undefined> => {
    const size = sizes.get(path) ?? Number.POSITIVE_INFINITY;
    return size > maxSmallBytes ? undefined : (await part(path, 0, size))?.toString('utf8');
  };
  const readGguf = async (): Promise<GgufFacts | undefined> => {
    const name = loadableGguf(files.map((path) => ({ path })));
    const size = sizes.get(name ?? '');
    if (name === undefined || size === undefined) return undefined;
    const head = await part(name, 0, Math.min(size, maxGgufHead));
    return head === undefined ? undefined : await readGgufFactsOfBytes(head, size);
  };
  const card = model.card === undefined ? undefined : { ...model.card, from: 'python' as const };
  return { sizes, traits: await collectTraits({ text, part }, { modelId, files, card, gguf: await readGguf() }) };
}
