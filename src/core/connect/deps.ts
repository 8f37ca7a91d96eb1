import type { Config } from '../config/settings.ts';
import type { Fleet } from '../fleet/contract.ts';
import type { Downloads, Optimizations } from '../jobs/contract.ts';
import type { World } from '../kernel/world.ts';
import type { Store, UploadList } from '../store/contract.ts';
import type { Connections } from './connections.ts';

/** Tells what changed of a store: its models, its downloads, its uploads, its optimizations, or its nodes and orders. */
export interface StoreChanges {
  /** Told at once and often; the returned function ends that. */
  onChange(listener: (what: 'models' | 'downloads' | 'uploads' | 'optimizations' | 'fleet') => void): () => void;
}

/** What every operation gets beside its request. */
export interface Deps {
  readonly world: World;
  readonly config: Config;
  /** What `openStore` reaches a store by; whoever runs the operation closes them. */
  readonly connections: Connections;
  /** The store that is already open, inside a server; elsewhere `openStore` finds it. */
  readonly store?: Store;
  /** The downloads of that store. */
  readonly downloads?: Downloads;
  /** The variants that it makes of its models. */
  readonly optimizations?: Optimizations;
  /** Its nodes and orders. */
  readonly fleet?: Fleet;
  /** What comes to it from other machines. */
  readonly uploads?: UploadList;
  /** Only where this process is the store host's server. */
  readonly changes?: StoreChanges;
}
