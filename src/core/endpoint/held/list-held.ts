import { setImmediate } from 'node:timers/promises';
import { mapConcurrently } from '../../kernel/flow/concurrency.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { DescribedEntry } from '../../protocol/models/entries.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HubBackend, HubListed } from '../contract.ts';
import { mainOf } from '../view/held-views.ts';
import type { HeldModels } from './held-models.ts';
import { formatsOf } from './read-facts.ts';

/** How many manifests are read at the same time. */
const atOnce = 8;

/** Lists the models of a store. Omits unhashed and damaged ones, because their file ids are unknown. */
export function createModelList(
  store: Pick<LocalStore, 'listDescribed'>,
  held: HeldModels,
  { isOn, isHidden }: { readonly isOn: () => Promise<boolean>; readonly isHidden: (modelId: ModelId) => Promise<boolean> },
): HubBackend['list'] {
  // An entry is the same object until its model changes.
  const known = new WeakMap<DescribedEntry, Readonly<Record<'on' | 'off', HubListed>>>();
  const describe = async (entry: DescribedEntry): Promise<Readonly<Record<'on' | 'off', HubListed>> | undefined> => {
    const before = known.get(entry);
    if (before !== undefined) return before;
    const views = await held.viewsOf(entry.model_id).catch(() => undefined);
    if (views === undefined) return undefined;
    const tags = [...entry.tags, ...entry.capabilities, ...formatsOf(entry.files)];
    const listed = (on: boolean): HubListed => {
      const { id, commit, lastModified, createdAt } = mainOf(views, on);
      return { id, commit, lastModified, createdAt, tags: [...new Set(tags)], totalBytes: entry.total_bytes };
    };
    const both = { on: listed(true), off: listed(false) };
    known.set(entry, both);
    return both;
  };
  return async (signal) => {
    const entries = await store.listDescribed();
    const found = await mapConcurrently(entries, atOnce, async (entry, index) => {
      // With ten thousand models, other requests get their turn in between.
      if (index % 64 === 0) await setImmediate();
      signal.throwIfAborted();
      return (await isHidden(entry.model_id)) ? undefined : describe(entry);
    });
    const which = (await isOn()) ? 'on' : 'off';
    return found.flatMap((one) => (one === undefined ? [] : [one[which]])).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  };
}
