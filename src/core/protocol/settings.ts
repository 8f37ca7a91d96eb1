import { count, flag, listOrEmpty, object, oneOf, orNull, type Shape, text, verbatim } from './schema.ts';
import { Type } from './type-builder.ts';

const settings = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

const viewFields = {
  path: orNull(verbatim(), 'The file; null when there is none'),
  save_path: verbatim({ description: 'Where a change is written' }),
  config: settings("Every effective setting in the file's own shape, without secrets"),
  secrets: Type.Record(Type.String(), Type.Boolean(), { description: 'Which secrets are set, by key' }),
  overridden: Type.Record(Type.String(), Type.String(), {
    description: 'Settings that the file cannot change, and who sets them: a flag or a variable of the environment',
  }),
  restart_required: flag('Whether the server still runs with other settings than the file has'),
  restart_because: listOrEmpty(text(), { description: 'The keys of those settings' }),
  service: orNull(
    object({ unit: text(), not_writable: listOrEmpty(verbatim()) }),
    'The unit of systemd under which the server runs, and the directories of this configuration that it does not let the server write to yet; null for a server that runs otherwise',
  ),
  problem: orNull(
    text(),
    'What is wrong with the file, when somebody broke it since the server was started; `config` is then what the server has',
  ),
};

/** This machine's configuration. */
export const configView = object(viewFields);
export type ConfigView = Shape<typeof configView>;

/** The same after a change. */
export const changedConfig = object({ ...viewFields, changed: listOrEmpty(text(), { description: 'The keys that changed' }) });

/** A JSON schema. */
export const jsonSchema = Type.Record(Type.String(), Type.Unknown(), { description: 'A JSON schema' });

/** Sections as in skulk.yaml; which they are is checked with the whole file. */
export const configBody = Type.Unsafe<Readonly<Record<string, unknown>>>({
  description: 'Sections as in skulk.yaml, e.g. {"model_store":{"store_host":"mac-studio-1"}}',
  examples: [{ model_store: { store_host: 'mac-studio-1' } }],
});

/** The policy of a store as a person sees it. */
export const policyView = object({
  path: verbatim(),
  policy: settings("Every setting in the file's own shape"),
  origin: Type.Record(Type.String(), oneOf(['default', 'file']), { description: 'Where each value comes from, by key with dots' }),
});
export type PolicyView = Shape<typeof policyView>;

/** Changes of a policy by key; null brings the default back. */
export const policyBody = Type.Record(Type.String(), Type.Unknown(), { examples: [{ lan: 'read' }] });

/** A directory to choose from. */
export const browsed = object({
  path: orNull(verbatim(), 'Null of the list of roots'),
  parent: orNull(verbatim(), 'Null of a root'),
  roots: listOrEmpty(verbatim()),
  directories: listOrEmpty(object({ name: verbatim(), path: verbatim() })),
  is_cut: flag('There are more than are listed, or than were looked at'),
  is_writable: flag('Whether this user may make files there'),
  free_bytes: orNull(count()),
  total_bytes: orNull(count()),
});
export type Browsed = Shape<typeof browsed>;
