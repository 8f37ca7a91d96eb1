import { type Static, Type } from 'typebox';

/** What stands in the configuration's documentation beside a key; JSON schema's own words plus `env`. */
const port = (description: string, fallback: number) => Type.Integer({ minimum: 1, maximum: 65535, default: fallback, description });

const stagingFields = {
  enabled: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether this node keeps verified local copies. When false, `skulk stage` works on the store host only.',
    }),
  ),
  node_cache_path: Type.Optional(
    Type.String({
      minLength: 1,
      default: '~/.skulk/staging',
      description: 'Where staged copies are kept. On the store host it may be store_path itself: then nothing is copied.',
    }),
  ),
  cleanup_on_deactivate: Type.Optional(
    Type.Boolean({ default: true, description: 'Whether idle copies beyond the budget go when a model is no longer used.' }),
  ),
  staging_keep_recent_gb: Type.Optional(
    Type.Number({
      minimum: 0,
      default: 40,
      description: 'How many GiB of idle copies to keep, newest use first. 0 keeps only what is in use.',
    }),
  ),
};

const downloadFields = {
  allow_hf_fallback: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether the store may fetch from Hugging Face what it lacks. false is for air-gapped networks.',
    }),
  ),
  max_concurrent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 16,
      default: 2,
      description: 'How many models the store host downloads at one time; more wait in order.',
    }),
  ),
};

const strict = { additionalProperties: false } as const;

const modelStore = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ default: true, description: 'false: as if there were no store; the file stays.' })),
    store_host: Type.Optional(Type.String({ minLength: 1, description: 'Hostname or node id of the store host.' })),
    store_http_host: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
        description: 'Address at which nodes reach the store host, when the name in store_host does not do.',
      }),
    ),
    store_port: Type.Optional(port('Port of the file server on the store host.', 58080)),
    store_path: Type.Optional(
      Type.String({
        minLength: 1,
        default: '$SKULK_HOME/store',
        description: 'Absolute path of the canonical copies on the store host. `~` and `$VAR` are expanded.',
      }),
    ),
    cards_path: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Absolute path of a directory of model cards, `<org>--<name>.toml`, which say what other models a model needs. `~` and `$VAR` are expanded.',
      }),
    ),
    api_port: Type.Optional(port('Port of the API on every serving node.', 52415)),
    browse_roots: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Absolute paths of directories below which the settings page may look for a directory. When absent: the home directory, where disks are usually mounted, and beside the directories that are in use.',
      }),
    ),
    auth: Type.Optional(
      Type.Object(
        {
          token: Type.Optional(
            Type.String({
              minLength: 8,
              maxLength: 512,
              pattern: '^[\\x21-\\x7e]+$',
              description:
                'When set on the store host, everything but `GET /health` needs it; machines that have it here send it. Never shown or logged. SKULK_TOKEN wins.',
            }),
          ),
        },
        strict,
      ),
    ),
    download: Type.Optional(Type.Object(downloadFields, strict)),
    staging: Type.Optional(Type.Object(stagingFields, strict)),
    node_overrides: Type.Optional(
      Type.Record(Type.String(), Type.Object({ staging: Type.Optional(Type.Object(stagingFields, strict)) }, strict), {
        description: 'Other staging settings for single machines, by hostname or node id; the first that matches wins, field by field.',
      }),
    ),
  },
  strict,
);

/**
 * The configuration file. Unknown sections at the top belong to the Python Skulk and are left alone; unknown keys inside
 * `model_store` are mistakes. The reference is docs/configuration.md, which is generated from here.
 */
export const configSchema = Type.Object({
  model_store: Type.Optional(modelStore),
  hf_token: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: 'Hugging Face token. Never shown, logged or sent to nodes.' }),
  ),
});

/** The configuration file's content, as it was written. */
export type ConfigFile = Static<typeof configSchema>;
