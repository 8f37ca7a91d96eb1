import type { Config } from '../config/settings.ts';
import type { Fleet } from '../fleet/contract.ts';
import type { Downloads, Optimizations } from '../jobs/contract.ts';
import type { World } from '../kernel/world.ts';
import type { Store } from '../store/contract.ts';
import type { UploadList } from '../store/upload-contract.ts';
import type { HostSwarms } from '../swarm/host-swarms.ts';
import type { Connections } from './connections.ts';

/** The changes of a store: its models, downloads, uploads, optimizations, or its nodes and orders. */
export interface StoreChanges {
  /** Calls the listener without delay, and often. The returned function removes it. */
  onChange(listener: (what: 'models' | 'downloads' | 'uploads' | 'optimizations' | 'fleet') => void): () => void;
}

/** The dependencies of every operation. */
export interface Deps {
  readonly world: World;
  readonly config: Config;
  /** The connections of `openStore`; the caller of the operation closes them. */
  readonly connections: Connections;
  /** The store that is already open, inside a server; otherwise `openStore` finds it. */
  readonly store?: Store;
  /** The downloads of that store. */
  readonly downloads?: Downloads;
  /** The variants that it makes of its models. */
  readonly optimizations?: Optimizations;
  /** Its nodes and orders. */
  readonly fleet?: Fleet;
  /** The uploads from other machines. */
  readonly uploads?: UploadList;
  /** Only in the store host's server: the nodes that share a model. */
  readonly swarms?: Pick<HostSwarms, 'list'>;
  /** Only in the store host's server. */
  readonly changes?: StoreChanges;
}
