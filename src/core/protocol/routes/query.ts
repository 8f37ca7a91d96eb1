import { count, text } from '../schema.ts';
import { Type } from '../type-builder.ts';

/** The query parameters of routes, by name; the routes parse and validate them. */
export const queries = {
  wait_ms: count({ description: 'How long to wait for the nodes, in milliseconds (5000)' }),
  force: Type.Boolean({ description: 'Include copies in use' }),
  replace: Type.Boolean({ description: 'Replace a model that exists with different content' }),
  recent: Type.Boolean({ description: 'Include finished jobs' }),
  revision: text({ description: 'A branch, a tag or a commit' }),
  kept: Type.Boolean({ description: 'Whether to use the list of the last download if Hugging Face cannot be reached' }),
  wanted: text({
    description: 'The request, as JSON with the fields of a download, e.g. {"selector":"Q4_K_M"}; the answer then has `plan`',
  }),
  path: text({ description: 'An absolute path' }),
  dry_run: Type.Boolean({ description: 'Only check' }),
  download_id: text({ description: 'One download of the model: the `download_id` of its state' }),
  model_id: text({ description: 'The id of a model; absent: all models' }),
  from: count({ description: 'Number of the first chunk' }),
  knows: text({ description: 'Capabilities of the node beyond orders for whole models, separated by commas: `quantizations`' }),
  upload: text({ description: 'The id of the upload, from the answer to its manifest' }),
  of: text({ description: 'The id in the list; an id of another upload is then refused' }),
  search: text({ description: 'Words in the id, case-insensitive' }),
  author: text({ description: 'The organization' }),
  filter: text({ description: 'A tag, such as `gguf`, `safetensors` or `vision`; may be repeated' }),
  sort: text({ description: '`lastModified` or `createdAt`, newest first; by id otherwise' }),
  since: text({ description: 'ISO 8601; only what happened then or later' }),
  failed: Type.Boolean({ description: 'Only failures' }),
  kind: text({ description: 'Only this `action`' }),
  who: text({ description: 'Only entries of this token, user, address or machine, case-insensitive' }),
  limit: count({ description: 'The maximum number of results' }),
  blobs: Type.Boolean({ description: 'Include the size and the ids of each file' }),
  recursive: Type.Boolean({ description: 'Include the content of subdirectories' }),
  expand: Type.Boolean({ description: 'Include the last commit of each entry' }),
  include_prs: Type.Boolean({ description: 'Include pull requests; there are none' }),
} as const;

/** `replace` is sent as `force`. */
export type QueryName = keyof typeof queries;
