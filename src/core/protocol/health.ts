import { count, countOrZero, object, orNull, type Shape, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** Where a host's server says that others reach it, and why there; null without a server, and of a store that does not tell. */
const advertised = orNull(
  object({ url: Type.String({ format: 'http-url' }), because: textOrEmpty() }),
  'The address at which others reach the server, and the reason',
);

/** How a store is and how full its disk is, as its own port says it; sizes in bytes. */
export const storeHealth = object(
  {
    store_path: text(),
    free_bytes: count(),
    total_bytes: countOrZero(),
    used_bytes: countOrZero(),
    models: countOrZero(),
    version: textOrEmpty(),
    node_id: orNull(text()),
    hostname: textOrEmpty(),
    time: orNull(text(), 'Time of the store host'),
    instance: orNull(text(), "Token of the server's lock: a process that can read it from the disk is on the store host"),
    advertised,
  },
  { description: 'State of the store and its disk, in bytes' },
);
export type StoreHealth = Shape<typeof storeHealth>;

/** The same as the API says it. */
export const healthView = object(
  {
    storePath: text(),
    freeBytes: count(),
    totalBytes: countOrZero(),
    usedBytes: countOrZero(),
    models: countOrZero(),
    version: textOrEmpty(),
    hostname: textOrEmpty(),
    nodeId: orNull(text()),
    location: textOrEmpty('URL of the store as this machine uses it'),
    advertised,
  },
  { description: 'State of the store and its disk, in bytes' },
);
export type HealthView = Shape<typeof healthView>;

/** The health of a store as the API says it. Pure. */
export const toHealthView = (health: StoreHealth, location: string): HealthView => ({
  storePath: health.store_path,
  freeBytes: health.free_bytes,
  totalBytes: health.total_bytes,
  usedBytes: health.used_bytes,
  models: health.models,
  version: health.version,
  hostname: health.hostname,
  nodeId: health.node_id,
  location,
  advertised: health.advertised,
});

/** The other way round; what the API does not say is null. Pure. */
export const fromHealthView = (view: HealthView): StoreHealth => ({
  store_path: view.storePath,
  free_bytes: view.freeBytes,
  total_bytes: view.totalBytes,
  used_bytes: view.usedBytes,
  models: view.models,
  version: view.version,
  node_id: view.nodeId,
  hostname: view.hostname,
  time: null,
  instance: null,
  advertised: view.advertised,
});

/** Who a serving node is. */
export const nodeIdentity = object(
  {
    hostname: text(),
    node_id: orNull(text()),
    preferred_address: orNull(text(), 'Address at which other machines reach it, if known'),
    version: text(),
    role: text({ description: '`store` or `node`' }),
  },
  { description: 'Identity of this node' },
);
export type NodeIdentity = Shape<typeof nodeIdentity>;
