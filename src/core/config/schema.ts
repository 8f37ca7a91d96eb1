import { type Static, Type } from 'typebox';
import { textFormats } from '../kernel/text-format.ts';

/** The documentation of a key in the configuration; JSON schema's own words plus `env`. */
const port = (description: string, fallback: number) => Type.Integer({ minimum: 1, maximum: 65535, default: fallback, description });

const stagingFields = {
  enabled: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether this node keeps verified local copies. If false, `skulk stage` works only on the store host.',
    }),
  ),
  node_cache_path: Type.Optional(
    Type.String({
      minLength: 1,
      default: '$SKULK_HOME/staging',
      description: 'Directory of staged copies. On the store host it may be store_path itself: then nothing is copied.',
    }),
  ),
  cleanup_on_deactivate: Type.Optional(
    Type.Boolean({ default: true, description: 'Whether idle copies that exceed the budget are evicted when a model is no longer used.' }),
  ),
  staging_keep_recent_gb: Type.Optional(
    Type.Number({
      minimum: 0,
      default: 40,
      description: 'GiB of idle copies to keep, most recently used first. 0 keeps only copies in use.',
    }),
  ),
};

const downloadFields = {
  allow_hf_fallback: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether the store may download missing models from Hugging Face. false is for air-gapped networks.',
    }),
  ),
  max_concurrent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 16,
      default: 2,
      description: 'How many models the store host downloads at the same time; others wait.',
    }),
  ),
};

const strict = { additionalProperties: false } as const;

const modelStore = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ default: true, description: 'false: as if no store were configured; the other settings stay.' })),
    store_host: Type.Optional(Type.String({ minLength: 1, description: 'Host name or node id of the store host.' })),
    store_http_host: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
        description: 'Address at which nodes reach the store host, if the name in store_host does not work.',
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
          'Absolute path of a directory of model cards, `<org>--<name>.toml`, which name the companions of a model. `~` and `$VAR` are expanded.',
      }),
    ),
    api_port: Type.Optional(port('Port of the API on every serving node.', 52415)),
    browse_roots: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Absolute paths of directories that the settings page may browse. Default: the home directory, the usual mount points, and the parents of the configured directories.',
      }),
    ),
    auth: Type.Optional(
      Type.Object(
        {
          token: Type.Optional(
            Type.String({
              minLength: 8,
              maxLength: 512,
              pattern: textFormats.token.pattern,
              description:
                'If set on the store host, every request except `GET /health` needs it. Other machines send it if it is set there. Never shown or logged. SKULK_TOKEN overrides it.',
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
        description: 'Staging settings for single machines, by host name or node id; the first match applies, field by field.',
      }),
    ),
  },
  strict,
);

/**
 * The configuration file. Unknown sections at the top belong to the Python Skulk and are ignored; unknown keys inside `model_store` are
 * errors. docs/configuration.md is generated from this.
 */
export const configSchema = Type.Object({
  model_store: Type.Optional(modelStore),
  hf_token: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: 'Hugging Face token. Never shown, logged or sent to nodes.' }),
  ),
});

/** The unmodified content of the configuration file. */
export type ConfigFile = Static<typeof configSchema>;

/** Its section `model_store`. */
export type ModelStore = NonNullable<ConfigFile['model_store']>;
