import { count, text } from '../schema.ts';
import { Type } from '../type-builder.ts';

/** What routes take after the `?`, by name; the routes read and check them. */
export const queries = {
  wait_ms: count({ description: 'How long to wait for the nodes, in milliseconds (5000)' }),
  force: Type.Boolean({ description: 'Also what is in use' }),
  replace: Type.Boolean({ description: 'Also when there is other content under the id' }),
  recent: Type.Boolean({ description: 'Also the downloads that ended' }),
  revision: text({ description: 'A branch, a tag or a commit' }),
  wanted: text({
    description: 'What is wanted of it, as JSON with the fields of a download, e.g. {"selector":"Q4_K_M"}: asks for `plan`',
  }),
  path: text({ description: 'An absolute path' }),
  dry_run: Type.Boolean({ description: 'Only check' }),
  from: count({ description: 'The number of the first one' }),
  knows: text({ description: 'What whoever listens can do beside orders for whole models, with commas: `quantizations`' }),
  upload: text({ description: 'The id of the upload, as the answer to its manifest gave it' }),
} as const;

/** `replace` is sent as `force`. */
export type QueryName = keyof typeof queries;
