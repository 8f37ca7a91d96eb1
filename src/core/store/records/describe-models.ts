import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listNotHeld } from '../../catalog/held-files.ts';
import type { FoundCard } from '../../catalog/read-card.ts';
import { kindOf } from '../../catalog/selection/file-kind.ts';
import { nameQuantizations } from '../../catalog/selection/name-quantizations.ts';
import { isSideKind, sideKindsOf } from '../../catalog/side-kinds.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import type { SideKind } from '../../protocol/manifest.ts';
import type { DescribedEntry, RegistryEntry } from '../../protocol/models/entries.ts';
import { knownGguf } from '../facts/known-gguf-facts.ts';
import type { ProblemReader } from '../facts/known-problems.ts';
import { readTraits } from '../facts/read-traits.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from './model-records.ts';

/** The number of models to read at the same time. */
const atOnce = 16;
/** How long a list waits for metadata of files that have not been read yet. */
const patienceMs = 5_000;

interface Known {
  /** The fingerprint of the model's cards. */
  readonly stamp: string;
  /** The entry as JSON. The registry is read again after each change, and most of its entries are then the same. */
  readonly entry: string;
  readonly described: DescribedEntry;
}

/** Describes models. Reads only those again whose entry or card has changed. */
export function createDescriber(
  layout: StoreLayout,
  cards: readonly string[],
  {
    readCardOf,
    records,
    problemsOf,
  }: {
    readonly problemsOf: ProblemReader;
    readonly readCardOf: (modelId: ModelId, entry: RegistryEntry) => Promise<FoundCard | undefined>;
    readonly records: Pick<ModelRecords, 'read' | 'upstream'>;
  },
): (entries: readonly RegistryEntry[]) => Promise<readonly DescribedEntry[]> {
  const known = new Map<ModelId, Known>();
  let last: { readonly entries: readonly RegistryEntry[]; readonly cards: string; readonly list: readonly DescribedEntry[] } | undefined;
  const describe = async (entry: RegistryEntry, stamps: ReadonlyMap<string, string>, late: Promise<void>): Promise<DescribedEntry> => {
    const { model_id } = entry;
    const stamp = stamps.get(cardName(model_id)) ?? '';
    const text = JSON.stringify(entry);
    const cached = known.get(model_id);
    if (cached?.stamp === stamp && cached.entry === text) return cached.described;
    let isLookedAt = false;
    const work = Promise.all([readSides(records, entry).then((sides) => knownGguf(layout, entry, sides)), problemsOf(entry)]).finally(
      () => {
        isLookedAt = true;
      },
    );
    // With hundreds of new models, the remaining descriptions come with the next list.
    const [looked, problems = []] = await Promise.race([work, late.then(() => [] as const)]);
    const traits = await readTraits(layout, entry, await readCardOf(model_id, entry), { gguf: looked?.facts, kinds: looked?.files });
    const quantizations = nameQuantizations(looked?.files ?? entry.files.map((path) => ({ path })));
    const ofRepo = quantizations.length > 1 ? await countOfRepo(records, model_id, quantizations.length) : undefined;
    const described = {
      ...entry,
      ...traits,
      quantizations,
      ...(ofRepo !== undefined && { quantizations_of_repo: ofRepo }),
      ...(problems.length > 0 && { problems }),
    };
    if (isLookedAt) known.set(model_id, { stamp, entry: text, described });
    return described;
  };
  return async (entries) => {
    const stamps = await stampsIn(cards);
    const all = [...stamps].flat().join('\n');
    // Returns the same list object, so that its JSON text can be reused.
    if (last?.entries === entries && last.cards === all) return last.list;
    const list: DescribedEntry[] = [];
    const waiting = new AbortController();
    const late = sleep(patienceMs, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined);
    for (let at = 0; at < entries.length; at += atOnce)
      list.push(...(await Promise.all(entries.slice(at, at + atOnce).map((entry) => describe(entry, stamps, late)))));
    waiting.abort();
    const ids = new Set(entries.map(({ model_id }) => model_id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    last = list.every((one) => known.get(one.model_id)?.described === one) ? { entries, cards: all, list } : undefined;
    return list;
  };
}

/** The files that the manifest marks as no weights: a draft whose repo has weights that the store lacks. Few models have any. */
async function readSides({ read }: Pick<ModelRecords, 'read'>, { model_id, files }: RegistryEntry): Promise<ReadonlyMap<string, SideKind>> {
  if (!files.some((path) => isSideKind(kindOf(path)))) return new Map();
  const known = await read(model_id).catch(() => undefined);
  return sideKindsOf(known?.manifest.files ?? []);
}

/** How many quantizations the repo of a model had at its last download; undefined if the store did not keep its list of files. */
async function countOfRepo(
  { read, upstream }: Pick<ModelRecords, 'read' | 'upstream'>,
  modelId: ModelId,
  held: number,
): Promise<number | undefined> {
  const listed = await upstream(modelId).catch(() => undefined);
  if (listed === undefined) return undefined;
  const known = await read(modelId).catch(() => undefined);
  return known === undefined ? undefined : held + listNotHeld(listed.files, known.manifest.files).length;
}

const cardName = (modelId: ModelId): string => `${directoryName(modelId)}.toml`;

/** The fingerprints of the cards in some directories, by name. Most models have none. */
async function stampsIn(directories: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  for (const directory of directories) {
    const names = (await readdir(directory).catch((): string[] => [])).filter((name) => name.endsWith('.toml'));
    const found = await Promise.all(names.map((name) => stampOf(join(directory, name))));
    for (const [index, name] of names.entries()) stamps.set(name, `${stamps.get(name) ?? ''} ${directory} ${found[index]}`);
  }
  return stamps;
}

const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}:${size}`,
    () => '',
  );
