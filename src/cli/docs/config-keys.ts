import { machineSchema } from '../../core/config/machine-settings.ts';
import { policySchema } from '../../core/config/policy.ts';
import { configSchema } from '../../core/config/schema.ts';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
}

/** The description of the whole configuration file; paragraphs. */
export const configDescription: readonly string[] = [
  'YAML or JSON. The file is the one in --config or SKULK_CONFIG. Otherwise it is skulk.yaml, skulk.yml or skulk.json in the working directory or a directory above it, in $XDG_CONFIG_HOME/skulk (~/.config/skulk), or in /etc/skulk. Without a file the defaults apply. A file in the working directory or above it is read only if it and its directory belong to this user or root, and are not world-writable.',
  'Flags override the environment, the environment overrides the file, and the file overrides the defaults. `skulk config show --origin` shows where each value comes from; `skulk config validate` checks a file.',
  'Top-level sections that are not listed here belong to other programs and are ignored. An unknown key inside model_store is an error. In paths, a leading ~ and $VAR are expanded. The YAML is read as PyYAML reads it, so yes, no, on and off are booleans.',
  'The token of SKULK_TOKEN, --token or model_store.auth.token is sent to a store that is named by --store, SKULK_STORE, an address, or a name that the name service knows. It is not sent to a store that was found by mDNS, or to a name that ends with .local. It is not sent to a store that is named only by a file in the working directory or above it, unless the token is in the same file. The command then stops with an error. `token_hosts: [NAME, ADDRESS]` in $SKULK_HOME/machine.yaml lists hosts that may receive it anyway.',
];

/** The environment variables. */
export const configVariables: readonly (readonly [name: string, means: string])[] = [
  ['SKULK_HOME', "directory of skulk's own files on this machine; default ~/.skulk"],
  ['SKULK_CONFIG', 'the configuration file, as --config'],
  ['SKULK_STORE', 'URL of the store, as --store; it overrides the file'],
  [
    'SKULK_SECOND_STORES',
    'URLs of the stores to read from while the store cannot be reached, separated by commas; overrides second_stores',
  ],
  ['SKULK_SECOND_TOKEN', 'token for those stores; they never get the token of the store'],
  ['SKULK_TOKEN', 'token for the store, as --token'],
  ['SKULK_UPSTREAM', 'URL of the store that a store host takes missing models from, as serve --upstream'],
  ['SKULK_UPSTREAM_TOKEN', 'token for that store'],
  ['SKULK_NO_MDNS', '1: do not announce a store by mDNS, and do not search for one'],
  ['SKULK_NO_DISCOVERY', '1: use only an explicitly configured store; do not search by mDNS or on this machine'],
  ['SKULK_STALL_TIMEOUT', 'seconds without data after which a connection to the store is closed and opened again; default 30'],
  [
    'SKULK_CONNECT_TIMEOUT',
    "seconds to wait for the store's name, and then for a connection, before a staged copy is used unchecked; default 1.5",
  ],
  ['SKULK_NODE_ID', 'id of this machine; default: generated once and kept in SKULK_HOME'],
  ['HF_TOKEN', 'Hugging Face token; overrides hf_token'],
  ['HF_ENDPOINT', 'URL of the Hugging Face Hub or of a mirror; default https://huggingface.co'],
  ['HF_HUB_OFFLINE', '1: the same as allow_hf_fallback: false'],
  ['HTTP_PROXY, HTTPS_PROXY, NO_PROXY', 'proxies for Hugging Face; connections to the store never use them'],
  ['NO_COLOR', 'any value: no colour'],
];

/** The dotted keys of a schema, with their meanings. */
function describe(node: SchemaNode, path: readonly string[]): readonly (readonly [key: string, notes: string])[] {
  const children = [
    ...Object.entries(node.properties ?? {}),
    ...Object.values(node.patternProperties ?? {}).map((child) => ['NAME', child] as const),
  ];
  const isShown = path.length > 0 && (children.length === 0 || node.description !== undefined);
  const self = isShown ? [[path.join('.'), notes(node)] as const] : [];
  return [...self, ...children.flatMap(([key, child]) => describe(child, [...path, key]))];
}

function notes(node: SchemaNode): string {
  const {
    type = node.anyOf && [...new Set(node.anyOf.map((one) => one.type))].join(' or '),
    description = 'The same keys as in that section, for this machine only.',
    minimum,
    maximum,
  } = node;
  const facts = [
    type === undefined || type === 'object' ? [] : [type],
    minimum !== undefined && maximum !== undefined ? [`${minimum} to ${maximum}`] : minimum !== undefined ? [`at least ${minimum}`] : [],
    node.default === undefined ? [] : [`default ${Array.isArray(node.default) ? 'empty' : String(node.default)}`],
  ].flat();
  return facts.length === 0 ? description : `${description} (${facts.join(', ')})`;
}

/** The keys of skulk.yaml, from its schema. */
export const configKeys = describe(configSchema as SchemaNode, []);
/** The keys of machine.yaml, from its schema. */
export const machineKeys = describe(machineSchema as SchemaNode, []);
/** The keys of policy.yaml, from its schema. */
export const policyFileKeys = describe(policySchema as SchemaNode, []);
