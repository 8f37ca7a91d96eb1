import { count, countOrZero, flag, object, orNull, type Shape, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** A server's address for other machines, and its reason; null without a server, and for a store that does not report it. */
const advertised = orNull(
  object({ url: Type.String({ format: 'http-url' }), because: textOrEmpty() }),
  'The address at which others reach the server, and the reason',
);

/** Null also for a store that does not say. */
const upstream = orNull(Type.String({ format: 'http-url' }), 'URL of the store that this one takes missing models from');

/** Null also for a store that does not say. */
const replaces = orNull(Type.String({ format: 'http-url' }), 'URL of the store that this one was promoted instead of');

/** The health of a store and the space on its disk, as reported on its own port; sizes in bytes. */
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
    upstream,
    replaces,
  },
  { description: 'State of the store and its disk, in bytes' },
);
export type StoreHealth = Shape<typeof storeHealth>;

/** The same in the API's format. */
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
    upstream,
    replaces,
  },
  { description: 'State of the store and its disk, in bytes' },
);
export type HealthView = Shape<typeof healthView>;

/** Converts a store's health to the API's format. Pure. */
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
  upstream: health.upstream,
  replaces: health.replaces,
});

/** The reverse; fields that the API does not have are null. Pure. */
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
  upstream: view.upstream,
  replaces: view.replaces,
});

/** The identity of a serving node. */
export const nodeIdentity = object(
  {
    hostname: text(),
    node_id: orNull(text()),
    preferred_address: orNull(text(), 'Address at which other machines reach it, if known'),
    version: text(),
    role: text({ description: '`store` or `node`' }),
    can_restart: flag('Whether `POST /node/restart` works here'),
  },
  { description: 'Identity of this node' },
);
export type NodeIdentity = Shape<typeof nodeIdentity>;

/** The answer to a request to restart; the server stops after it. */
export const restarting = object({
  hostname: text(),
  pid: count({ description: 'Id of the process, which stays the same' }),
});
