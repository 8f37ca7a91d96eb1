import type { Health } from '../../operations/store/check-health.ts';

/** The health of a store as the API answers it (docs/http.md). */
export const healthAnswer = (health: Health) => ({
  storePath: health.store_path,
  freeBytes: health.free_bytes,
  totalBytes: health.total_bytes,
  usedBytes: health.used_bytes,
  models: health.models,
  version: health.version,
  hostname: health.hostname,
  nodeId: health.node_id,
  location: health.location,
  advertised: health.advertised,
});
