import { count, flag, listOrEmpty, object, oneOf, orNull, type Shape, text, verbatim } from './schema.ts';
import { Type } from './type-builder.ts';

const settings = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

const viewFields = {
  path: orNull(verbatim(), 'The file; null without a file'),
  save_path: verbatim({ description: 'The file that changes are written to' }),
  config: settings('Every effective setting in the structure of the file, without secrets'),
  secrets: Type.Record(Type.String(), Type.Boolean(), { description: 'Which secrets are set, by key' }),
  overridden: Type.Record(Type.String(), Type.String(), {
    description: 'Settings that the file cannot change, and their source: a flag or an environment variable',
  }),
  restart_required: flag('Whether the server still runs with older settings than the file'),
  restart_because: listOrEmpty(text(), { description: 'The keys of those settings' }),
  service: orNull(
    object({ unit: text(), not_writable: listOrEmpty(verbatim()) }),
    'The systemd unit of the server, and the configured directories that it does not yet allow the server to write to; null without systemd',
  ),
  problem: orNull(
    text(),
    'The error in the file, if it became invalid after the server started; `config` then shows the settings of the server',
  ),
};

/** This machine's configuration. */
export const configView = object(viewFields);
export type ConfigView = Shape<typeof configView>;

/** The same after a change. */
export const changedConfig = object({ ...viewFields, changed: listOrEmpty(text(), { description: 'The keys that changed' }) });

/** A JSON schema. */
export const jsonSchema = Type.Record(Type.String(), Type.Unknown(), { description: 'A JSON schema' });

/** Sections as in skulk.yaml; validated together with the whole file. */
export const configBody = Type.Unsafe<Readonly<Record<string, unknown>>>({
  description: 'Sections as in skulk.yaml, e.g. {"model_store":{"store_host":"mac-studio-1"}}',
  examples: [{ model_store: { store_host: 'mac-studio-1' } }],
});

/** The policy of a store in the format for users. */
export const policyView = object({
  path: verbatim(),
  policy: settings('Every setting in the structure of the file'),
  origin: Type.Record(Type.String(), oneOf(['default', 'file']), { description: 'The source of each value, by dotted key' }),
});
export type PolicyView = Shape<typeof policyView>;

/** The policy after a change. */
export const changedPolicy = object({
  path: verbatim(),
  policy: settings('Every setting in the structure of the file'),
  origin: Type.Record(Type.String(), oneOf(['default', 'file']), { description: 'The source of each value, by dotted key' }),
  before: Type.Optional(settings('Every setting before this change')),
});
export type ChangedPolicy = Shape<typeof changedPolicy>;

/** Changes of a policy by key; null resets a key. */
export const policyBody = Type.Record(Type.String(), Type.Unknown(), { examples: [{ lan: 'read' }] });

/** A directory to choose from. */
export const browsed = object({
  path: orNull(verbatim(), 'Null for the list of roots'),
  parent: orNull(verbatim(), 'Null for a root'),
  roots: listOrEmpty(verbatim()),
  directories: listOrEmpty(object({ name: verbatim(), path: verbatim() })),
  is_cut: flag('Whether there are more than the listed ones'),
  is_writable: flag('Whether this user can create files there'),
  free_bytes: orNull(count()),
  total_bytes: orNull(count()),
});
export type Browsed = Shape<typeof browsed>;
