import { holder } from './holder.ts';
import {
  amount,
  count,
  countOrZero,
  errorCodeOrNull,
  flag,
  list,
  listOrEmpty,
  modelId,
  object,
  oneOf,
  orNull,
  type Shape,
  sha256,
  strictObject,
  text,
  textOrEmpty,
  time,
  verbatim,
} from './schema.ts';
import { Type } from './type-builder.ts';

/** A quantization of a staged copy. */
const stagedQuantization = object({
  selector: orNull(text({ maxLength: 4096 }), 'Its selector; null for other weights than GGUF, and for a whole model'),
  files: listOrEmpty(verbatim(), {
    description: 'Its own files, without those shared with other quantizations; empty if `selector` is null',
  }),
  digest: Type.Optional(orNull(text({ maxLength: 64 }), 'Of its own files, to be compared with that of the store')),
  size_bytes: countOrZero('Size of its own files; if it is the only one, of the whole copy'),
  last_used: textOrEmpty('ISO 8601'),
  in_use: flag(),
  holders: listOrEmpty(holder),
  over_budget: flag('Whether it is evicted when the budget is next applied, unless used before'),
});

/** This node's staged copies, most recently used first; sizes in bytes. */
export const stagingList = object({
  staging_root: text({ maxLength: 4096 }),
  models: listOrEmpty(
    object({
      model_id: modelId(),
      directory: verbatim(),
      size_bytes: countOrZero(),
      last_used: textOrEmpty('ISO 8601'),
      in_use: flag(),
      holders: listOrEmpty(holder),
      digest: orNull(text()),
      verified: Type.Optional(
        orNull(
          oneOf(['hub', 'arrival']),
          'For a copy from a Python store host: verified by ids of Hugging Face, or only hashed on arrival',
        ),
      ),
      over_budget: flag('Whether it, or a part of it, is evicted when the budget is next applied, unless used before'),
      quantizations: listOrEmpty(stagedQuantization, {
        description: 'Most recently used first; one entry for a model without quantizations',
      }),
    }),
  ),
  unfinished: listOrEmpty(object({ model_id: modelId(), size_bytes: countOrZero() }), {
    description: 'Data of unfinished copies',
  }),
  total_bytes: countOrZero(),
  free_bytes: countOrZero(),
  budget_bytes: orNull(count(), 'The disk space that idle copies may use; null when nothing is evicted automatically'),
  in_place: flag('Models are used in place in the store, so there are no copies'),
  foreign: listOrEmpty(verbatim(), { description: 'Files there that skulk did not create' }),
});
export type StagingList = Shape<typeof stagingList>;

/** The same, or why the copies are unreadable. */
export const stagingView = object({
  ...stagingList.properties,
  problem: orNull(text(), 'Why the copies cannot be listed; null if they can'),
});
export type StagingView = Shape<typeof stagingView>;

/** The source of a copy. `swarm`: the store and other nodes at the same time. `cache`: it was here; `clone`: from this machine's store; `in-place`: the store's own directory. */
const stagedFrom = oneOf(['store', 'swarm', 'clone', 'in-place', 'cache', 'hub']);

/** A request to stage. */
export const stageBody = strictObject({
  model_id: text({ maxLength: 200 }),
  revision: Type.Optional(orNull(text({ minLength: 1, maxLength: 255 }))),
  source_revision: Type.Optional(orNull(text({ minLength: 1, maxLength: 255 }), 'The same as `revision`')),
  selector: Type.Optional(orNull(text({ minLength: 1, maxLength: 4096 }), 'A quantization such as Q5_K_M, or a .gguf path')),
});
export type StageBody = Shape<typeof stageBody>;

/** A model that a node is staging, or has staged; sizes in bytes. */
export const stagingJob = object(
  {
    model_id: modelId(),
    revision: orNull(text()),
    selector: orNull(text()),
    status: oneOf(['pending', 'staging', 'complete', 'failed']),
    doing: orNull(text(), '`staging`, or a step before it such as `downloading`; null while nothing moves'),
    bytes_done: countOrZero(),
    bytes_total: countOrZero(),
    bytes_per_second: orNull(amount(), 'Averaged over the last seconds; null while unknown'),
    seconds_left: orNull(amount()),
    waits_for: orNull(text(), 'What it waits for, as a sentence'),
    warnings: listOrEmpty(text()),
    path: orNull(verbatim(), 'Path of the copy, once it exists'),
    source: orNull(stagedFrom),
    error: orNull(text()),
    error_code: errorCodeOrNull(),
    hint: orNull(text()),
    created_at: textOrEmpty('ISO 8601'),
    updated_at: textOrEmpty('ISO 8601'),
  },
  { description: 'State of staging a model on this node' },
);
export type StagingJob = Shape<typeof stagingJob>;

/** A node's running stagings, and the last finished ones. */
export const stagingJobs = object({ jobs: list(stagingJob) });

/** The question of a node that is about to fetch a model, or fetches it. */
export const swarmBody = strictObject({
  digest: sha256('Of the manifest that the node has'),
  member: Type.Optional(verbatim({ maxLength: 100, description: 'The key from an earlier answer' })),
  has_torrent: Type.Optional(Type.Boolean({ description: 'Whether the node already has the torrent file' })),
  seeds: Type.Optional(Type.Boolean({ description: 'Whether the node has all of it and only sends to others' })),
  leaves: Type.Optional(Type.Boolean({ description: 'Whether the node has finished' })),
});
export type SwarmBody = Shape<typeof swarmBody>;

/** How a node should take a model. */
export const swarmAnswer = object({
  state: oneOf(['wire', 'swarm'], { default: 'wire', description: 'wire: only from the store, for now. swarm: shared with the others' }),
  member: verbatim({ maxLength: 100, default: '', description: 'The key of this node in the swarm; empty if there is no swarm' }),
  members: countOrZero('The nodes that receive the model now, without those that only send'),
  host_sent_bytes: countOrZero('Bytes that the store has sent to this swarm'),
  host_port: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_535,
      description: 'The TCP port at which the store host accepts peers, at the address of its server',
    }),
  ),
  torrent: Type.Optional(
    verbatim({
      maxLength: 8 * 1024 * 1024,
      description: 'A torrent file without a tracker, in base64. Its files have the order of the manifest, without empty files',
    }),
  ),
});
export type SwarmAnswer = Shape<typeof swarmAnswer>;

/** Nodes that share one model. */
const swarm = object({
  model_id: modelId(),
  digest: sha256(),
  members: countOrZero('The nodes that receive the model now'),
  seeders: countOrZero('Peers that have all of it, including the store host'),
  host_sent_bytes: countOrZero('Bytes that the store has sent'),
  began_at: time(),
  ended_at: orNull(time(), 'Null while it runs'),
});

/** The running and the recent swarms of a store. */
export const swarmList = object({ swarms: listOrEmpty(swarm) });
export type SwarmList = Shape<typeof swarmList>;
