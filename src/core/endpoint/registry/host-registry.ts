import type { GgufHeader } from '../../catalog/gguf-header.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HubBackend } from '../contract.ts';
import { readWhole } from './read-whole.ts';
import { createRegistry, type Registry, type RegistryOptions } from './registry.ts';

/** The options of a host's registry. */
export interface HostRegistryOptions {
  readonly store: Pick<LocalStore, 'ggufHeader' | 'cardOf'>;
  readonly hub: HubBackend;
  /** Reads the header of a GGUF file from its first bytes; undefined if the header is longer. */
  readonly readHeader: (bytes: Uint8Array, size: number) => Promise<GgufHeader | undefined>;
}

/** How many bytes of a missing file are read for its header; the larger number is for vocabularies of a quarter of a million words. */
const prefixes = [16 * 1024 * 1024, 48 * 1024 * 1024] as const;

/** The registry of a store host. */
export function createHostRegistry({ store, hub, readHeader }: HostRegistryOptions): Registry {
  const header: RegistryOptions['header'] = async (repo, file, { asker, signal }) => {
    if (file.isHeld) return store.ggufHeader(repo.id, file.path);
    for (const prefix of prefixes) {
      const end = Math.min(prefix, file.size);
      const bytes = await readWhole(await hub.open(repo, file, { range: { start: 0, end }, asker, signal }), end);
      const found = await readHeader(bytes, file.size);
      if (found !== undefined || end === file.size) return found;
    }
    return undefined;
  };
  return createRegistry({ hub, header, pinOf: async ({ id }) => (await store.cardOf(id))?.ggufFile });
}
