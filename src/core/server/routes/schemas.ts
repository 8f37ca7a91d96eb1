import { maxPatternLength, maxPatterns, weightsChoices } from '../../catalog/selection/wanted-files.ts';

/** JSON schemas of what the servers take and answer; they check bodies and make the OpenAPI page. */
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const open = { type: 'object', additionalProperties: true } as const;

/** How every failure is answered. */
export const errorSchema = {
  ...open,
  description: 'What went wrong',
  properties: { detail: text, code: text, hint: { type: ['string', 'null'] } },
} as const;

const queries = {
  wait_ms: { ...count, description: 'How long to wait for the nodes, in milliseconds (5000)' },
  force: { type: 'boolean', description: 'Also what is in use' },
  replace: { type: 'boolean', description: 'Also when there is other content under the id' },
  recent: { type: 'boolean', description: 'Also the downloads that ended' },
  revision: { ...text, description: 'A branch, a tag or a commit' },
  wanted: {
    ...text,
    description: 'What is wanted of it, as JSON with the fields of a download, e.g. {"selector":"Q4_K_M"}: asks for `plan`',
  },
  path: { ...text, description: 'An absolute path' },
  dry_run: { type: 'boolean', description: 'Only check' },
  from: { ...count, description: 'The number of the first one' },
  upload: { ...text, description: 'The id of the upload, as the answer to its manifest gave it' },
} as const;

/** Says which parameters a route takes after the `?`; the route itself reads and checks them. */
export const query = (...names: readonly (keyof typeof queries)[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name === 'replace' ? 'force' : name, queries[name]])),
});

/** An unfinished upload. */
export const uploadSchema = {
  type: 'object',
  required: ['id', 'model_id', 'digest', 'from', 'who', 'files', 'bytes_total', 'bytes_done', 'began_at', 'last_byte_at'],
  properties: {
    id: { ...text, description: 'With it an admin can cancel the upload' },
    model_id: text,
    digest: text,
    from: { ...text, description: 'The address of the machine that sends it' },
    who: { type: ['string', 'null'], description: 'The name of the token that it showed' },
    files: count,
    bytes_total: count,
    bytes_done: count,
    began_at: text,
    last_byte_at: text,
  },
} as const;

/** The id of a model in a URL. */
export const modelParams = {
  type: 'object',
  properties: { id: { ...text, description: 'org%2Fname or name; org/name as two segments is the same' } },
} as const;

export const healthSchema = {
  ...open,
  description: 'How the store is and how full its disk is, in bytes',
  properties: {
    store_path: text,
    free_bytes: count,
    total_bytes: count,
    used_bytes: count,
    models: count,
    version: text,
    hostname: text,
    advertised: {
      type: ['object', 'null'],
      description: 'Where others reach the server, and why there',
      properties: { url: text, because: text },
    },
  },
} as const;

export const entrySchema = {
  ...open,
  properties: {
    model_id: text,
    store_path: text,
    files: { type: 'array', items: text },
    downloaded_at: text,
    total_bytes: count,
    repo_has_projector: { type: ['boolean', 'null'] },
    tags: { type: 'array', items: text },
    capabilities: { type: 'array', items: text },
    supports_tensor: { type: ['boolean', 'null'] },
    base_model: { type: ['string', 'null'] },
    quantization: { type: ['string', 'null'] },
    family: { type: ['string', 'null'] },
    context_length: { type: ['integer', 'null'] },
  },
} as const;

export const manifestSchema = {
  ...open,
  description: 'What each file must hash to; the digest is also the ETag',
  properties: {
    version: { const: 1 },
    model_id: text,
    digest: text,
    chunk_size: count,
    files: {
      type: 'array',
      items: { ...open, properties: { path: text, size: count, sha256: text, chunks: { type: 'array', items: text } } },
    },
  },
} as const;

export const hashingSchema = {
  ...open,
  description: 'Not hashed yet; ask again after Retry-After',
  properties: { state: { const: 'hashing' }, retry_after_ms: count },
} as const;

export const deletedSchema = {
  ...open,
  properties: { modelId: text, deleted: { const: true }, freed_bytes: count, nodes: { type: 'array', items: open } },
} as const;

export const adoptBodySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    incoming: {
      ...text,
      minLength: 1,
      maxLength: 255,
      description: "Name of a directory inside the store's incoming/; absent: the model's own directory is adopted where it lies",
    },
    digest: { ...text, pattern: '^[0-9a-f]{64}$', description: 'What the content must hash to' },
    revision: { ...text, minLength: 1, maxLength: 255 },
    force: { type: 'boolean', description: 'Replace a model that is there with other content' },
  },
} as const;

const patterns = {
  type: ['array', 'null'],
  maxItems: maxPatterns,
  items: { type: 'string', minLength: 1, maxLength: maxPatternLength },
} as const;

export const downloadBodySchema = {
  type: 'object',
  properties: {
    gguf_file: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 4096,
      description: 'The .gguf file to take of the repo, with its shards',
    },
    revision: { type: ['string', 'null'], minLength: 1, maxLength: 255 },
    source_revision: { type: ['string', 'null'], minLength: 1, maxLength: 255, description: 'The same as revision' },
    selector: { type: ['string', 'null'], minLength: 1, maxLength: 4096, description: 'A quantization such as Q5_K_M, or a .gguf path' },
    exact: { type: 'boolean', description: 'Fail when the repo does not have gguf_file, instead of taking the preferred quantization' },
    weights: { enum: [...weightsChoices, null], description: 'Which weights to take of a repo that has GGUF and safetensors' },
    include: { ...patterns, description: 'Take only files that match one of these, and what is named; * also stands for /' },
    exclude: { ...patterns, description: 'Leave out files that match one of these' },
    whole: { type: 'boolean', description: 'Take every file of the repo' },
    mmproj: { type: ['string', 'null'], minLength: 1, maxLength: 4096, description: 'The projector to take, or all' },
    strict: { type: 'boolean', description: 'Fail when what has come cannot be a model, instead of warning' },
  },
} as const;

export const downloadSchema = {
  ...open,
  description: 'How a download is; progress is from 0 to 1, sizes are bytes',
  properties: {
    modelId: text,
    status: { enum: ['pending', 'downloading', 'complete', 'failed'] },
    progress: { type: 'number' },
    error: { type: ['string', 'null'] },
    bytes_done: count,
    bytes_total: count,
    bytes_per_second: { type: ['number', 'null'] },
    seconds_left: { type: ['number', 'null'] },
    gguf_file: { type: ['string', 'null'], description: 'What a program loads of what is taken' },
    request: { ...open, description: 'What was asked for' },
    warnings: { type: 'array', items: text, description: 'Sentences, e.g. about files that no program can load' },
  },
} as const;

export const verifyBodySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    model_ids: { type: 'array', items: { ...text, maxLength: 200 }, description: 'All models when absent or empty' },
    repair: { type: 'boolean' },
  },
} as const;

export const linesSchema = {
  ...text,
  description:
    'Lines of JSON: {"progress":{"bytes_done","bytes_total"}} now and then, at last {"result":…} or {"error":{"code","message","hint"}}',
} as const;

const sizedFile = { ...open, properties: { path: text, size: count } } as const;

const plannedFile = { ...open, properties: { path: text, size: count, why: text, reason: text } } as const;

export const hubOfferSchema = {
  ...open,
  description: 'What is taken when nothing is chosen (files, total_bytes), and what there is to choose from; sizes in bytes',
  properties: {
    modelId: text,
    revision: text,
    commit: text,
    files: { type: 'array', items: sizedFile },
    file_count: count,
    total_bytes: count,
    quantizations: {
      type: 'array',
      items: {
        ...open,
        properties: {
          label: text,
          gguf_file: { ...text, description: 'What to ask for in POST …/download' },
          files: { type: 'array', items: text },
          size_bytes: count,
          is_preferred: { type: 'boolean' },
          in_store: { type: 'boolean' },
        },
      },
    },
    plan: {
      ...open,
      description: 'With ?wanted= only: every file that a download with these fields would take and leave, and why',
      properties: {
        gguf_file: { type: ['string', 'null'] },
        taken: { type: 'array', items: plannedFile },
        left: { type: 'array', items: plannedFile },
        missing_pin: { type: ['string', 'null'] },
      },
    },
  },
} as const;

export const shownModelSchema = {
  ...open,
  properties: {
    model_id: text,
    store_path: text,
    total_bytes: count,
    downloaded_at: text,
    digest: { type: ['string', 'null'] },
    revision: { type: ['string', 'null'] },
    commit: { type: ['string', 'null'] },
    source: { type: ['string', 'null'] },
    hashed: { type: 'boolean' },
    companions: { type: 'array', items: open },
    files: {
      type: 'array',
      items: { ...open, properties: { path: text, size: { type: ['integer', 'null'] }, sha256: { type: ['string', 'null'] } } },
    },
    staged: { type: ['object', 'null'], description: 'The copy of the machine that answers' },
    nodes: { type: 'array', items: open, description: 'The nodes that have told the store of a copy' },
  },
} as const;

const eventStream = (description: string) => ({ 200: { ...text, description }, 503: errorSchema }) as const;

export const eventsSchema = {
  summary: 'Server-Sent Events of the store',
  response: eventStream(
    'text/event-stream: registry, downloads, uploads, nodes, orders and health, each with its whole list as JSON; all of them at first, then each as it changes',
  ),
} as const;

export const nodeEventsSchema = {
  summary: 'Server-Sent Events of this very node',
  response: eventStream(
    'text/event-stream: storage, staging and config, each whole as JSON; all of them at first, then each as it changes',
  ),
} as const;

export const stageBodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['model_id'],
  properties: {
    model_id: { ...text, maxLength: 200 },
    revision: { type: ['string', 'null'], minLength: 1, maxLength: 255 },
    source_revision: { type: ['string', 'null'], minLength: 1, maxLength: 255, description: 'The same as revision' },
    selector: { type: ['string', 'null'], minLength: 1, maxLength: 4096, description: 'A quantization such as Q5_K_M, or a .gguf path' },
  },
} as const;

export const stagingJobSchema = {
  ...open,
  description: 'How the staging of a model on this node is; sizes are bytes',
  properties: {
    model_id: text,
    revision: { type: ['string', 'null'] },
    selector: { type: ['string', 'null'] },
    status: { enum: ['pending', 'staging', 'complete', 'failed'] },
    doing: { type: ['string', 'null'] },
    bytes_done: count,
    bytes_total: count,
    bytes_per_second: { type: ['number', 'null'] },
    seconds_left: { type: ['number', 'null'] },
    waits_for: { type: ['string', 'null'] },
    warnings: { type: 'array', items: text },
    path: { type: ['string', 'null'] },
    source: { type: ['string', 'null'] },
    error: { type: ['string', 'null'] },
    hint: { type: ['string', 'null'] },
  },
} as const;
