import type { HubBackend } from '../../endpoint/contract.ts';
import { createHostRegistry } from '../../endpoint/registry/host-registry.ts';
import type { Registry } from '../../endpoint/registry/registry.ts';
import { readHeaderOfBytes } from '../../store/facts/read-gguf-facts.ts';
import type { LocalStore } from '../../store/local-store.ts';

/** The registry for a store of this machine. */
export const openRegistry = (store: LocalStore, hub: HubBackend): Registry =>
  createHostRegistry({ store, hub, readHeader: readHeaderOfBytes });
