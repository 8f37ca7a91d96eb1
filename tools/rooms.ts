/** The imports that a room may have from other rooms: values and types, or types only. */
export interface Room {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  /** Rooms outside core and packages that single files may import in addition. */
  readonly doors?: Readonly<Record<string, readonly string[]>>;
  readonly forbiddenModules?: RegExp;
}

const leaves = ['core/protocol', 'core/kernel'];
const data = ['core/transfer', 'core/catalog', ...leaves];
/** They hold the data, and import only types from each other. */
const dataRooms = ['core/staging', 'core/store', 'core/jobs', 'core/fleet'];
/** Modules that reach a store, on its own machine and on others. */
const reach = [
  'core/optimize',
  'core/engines',
  'core/store',
  'core/jobs',
  'core/fleet',
  'core/sources',
  'core/client',
  'core/access',
  'core/swarm',
  ...data,
];

const notOfBrowsers = /^node:/;
const documents = ['core/protocol'];

/** The allowed imports, from top to bottom: a room imports values only of rooms below it here. A room may always import itself. */
export const rooms: Readonly<Record<string, Room>> = {
  commands: {
    values: ['core/operations', ...leaves, 'cli/definition'],
    types: ['core/config', 'core/connect'],
    doors: {
      // The one command that runs a server.
      'commands/serve.ts': ['core/server', 'core/connect', 'core/fleet'],
      // The options that select files use the same checks as bodies of requests.
      'commands/wanted-files.ts': ['core/catalog/selection/wanted-files'],
      // The programs with printed commands are choices of an option.
      'commands/show.ts': ['core/catalog/programs/programs'],
      // The search for stores is a step of every connection, and its command shows the result.
      'commands/discover.ts': ['core/connect'],
    },
    forbiddenModules: /^node:|^[^.]/,
  },
  cli: {
    values: ['core/config', ...leaves],
    // Screens show the state that operations follow, and their keys call operations.
    types: ['core/connect', 'core/operations'],
    // The caller that runs a command closes its connections.
    doors: { 'cli/run-command.ts': ['core/connect'] },
  },
  // The entry point for programs: it has the public exports, and reads the environment of the process if none is given.
  'index.ts': { values: ['library', 'core/kernel'], types: ['core/operations', 'core/store', 'core/jobs', 'core/protocol'] },
  library: {
    values: ['core/operations', 'core/connect', 'core/config', ...leaves],
    types: ['core/store', 'core/jobs'],
    doors: { 'library/read-input.ts': ['core/catalog/selection/wanted-files'] },
  },
  'core/server': {
    values: ['core/operations', 'core/node', 'core/connect', 'core/endpoint', 'core/access', ...data],
    types: ['core/store', 'core/client', 'core/config', 'core/jobs', 'core/fleet', 'core/swarm'],
    // The only place that puts a server together.
    doors: {
      'core/server/app/serve.ts': ['core/config'],
      // The store host's part of it: its jobs run there.
      'core/server/app/serve-host.ts': ['core/optimize'],
    },
  },
  'core/operations': {
    values: ['core/node', 'core/connect', 'core/staging', 'core/endpoint', ...reach],
    types: ['core/config'],
    doors: {
      // It describes, checks and writes the configuration.
      'core/operations/settings/config.ts': ['core/config'],
      'core/operations/settings/config-questions.ts': ['core/config'],
      'core/operations/settings/change-config.ts': ['core/config'],
      'core/operations/settings/describe-changes.ts': ['core/config'],
      'core/operations/settings/saved-config.ts': ['core/config'],
      'core/operations/settings/view-config.ts': ['core/config'],
      'core/operations/store/store-policy.ts': ['core/config'],
      // It checks everything.
      'core/operations/doctor/run-doctor.ts': ['core/config'],
    },
  },
  // The work of a node with its copies and with the orders of its store.
  'core/node': { values: ['core/connect', 'core/staging', ...reach], types: ['core/config'] },
  // Opening a store: its address, its trust, and by the disk or over HTTP.
  'core/connect': {
    values: ['core/staging', ...reach],
    types: ['core/config'],
    // It distinguishes a directory that is not mounted from a missing store.
    doors: {
      'core/connect/served-stores.ts': ['core/config'],
      // The URL of another store is checked like one in the configuration.
      'core/connect/promoted-store.ts': ['core/config'],
    },
  },
  // The store as a Hub and as a registry, without HTTP.
  'core/endpoint': { values: data, types: [...dataRooms, 'core/sources'] },
  // Makes variants of models: connects engines, jobs and the store.
  'core/optimize': { values: ['core/engines', 'core/store', 'core/jobs', 'core/staging', ...data] },
  // Programs that make variants. They know processes and files, not stores.
  'core/engines': { values: ['core/catalog', ...leaves] },
  'core/staging': { values: data, types: dataRooms },
  'core/store': { values: data, types: dataRooms },
  'core/jobs': { values: data, types: dataRooms },
  'core/fleet': { values: data, types: dataRooms },
  'core/sources': { values: data, types: ['core/store', 'core/jobs'] },
  // A client represents a store, reads its manifests and receives its bytes.
  'core/client': {
    values: data,
    types: ['core/store', 'core/jobs', 'core/fleet', 'core/access'],
  },
  // Peers that share the bytes of a model, through aria2. It knows manifests and files, not requests.
  'core/swarm': { values: data, types: dataRooms },
  // Access rights: keys, tokens, and the server of this machine.
  'core/access': { values: leaves },
  'core/transfer': { values: leaves },
  'core/catalog': { values: leaves },
  'core/config': { values: leaves },
  // Documents between processes and on disks: plain data, types, and one decoder.
  'core/protocol': { values: ['core/kernel'] },
  'core/kernel': { values: [] },
  // The browser view. It uses the server only through its API, imports the types of the answers from the documents, and shares code that
  // both ends need.
  'web/app': { values: ['web/pages', 'web/parts', 'web/api', 'web/styles'], types: documents, forbiddenModules: notOfBrowsers },
  'web/pages': { values: ['web/parts', 'web/api'], types: documents, forbiddenModules: notOfBrowsers },
  'web/parts': { values: ['web/api'], types: documents, forbiddenModules: notOfBrowsers },
  'web/api': {
    values: [],
    // Streams and pasted texts are parsed in one way everywhere, and requests are made in one way; these files import no values.
    doors: {
      'web/api/live.ts': ['core/kernel/flow/event-parser'],
      'web/api/model-ref.ts': ['core/kernel/split-ref'],
      'web/api/call.ts': ['core/protocol/routes/call'],
      // The commands to type are made in one place.
      'web/api/offer-presence.ts': ['core/protocol/offer-presence'],
      // The log is described in the same words everywhere.
      'web/api/activity.ts': ['core/protocol/describe/activity'],
      // Machines with the same name get different names in the same way everywhere.
      'web/api/node-names.ts': ['core/kernel/machine/node-names'],
      'web/api/programs.ts': ['core/catalog/programs'],
    },
    forbiddenModules: notOfBrowsers,
  },
};

/** The rooms that may import a package: one package, one room. Unlisted packages may not be imported. */
export const doors: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli/program'],
  'cli-progress': ['cli/render/'],
  ink: ['cli/render/'],
  'string-width': ['cli/render/'],
  'smol-toml': ['core/catalog/card'],
  cosmiconfig: ['core/config/'],
  yaml: ['core/config/', 'core/endpoint/view/front-matter'],
  ajv: ['core/kernel/validate', 'core/kernel/problem'],
  'node-fetch': ['core/client/'],
  'http-proxy-agent': ['core/client/http/outbound-fetch'],
  'https-proxy-agent': ['core/client/http/outbound-fetch'],
  'proxy-from-env': ['core/client/http/outbound-fetch'],
  '@huggingface/hub': ['core/sources/hub/hub'],
  '@huggingface/gguf': ['core/store/facts/gguf-worker'],
  '@huggingface/ollama-utils': ['core/store/facts/gguf-worker'],
  'bonjour-service': ['core/connect/mdns'],
  'markdown-it': ['web/parts/readme/parse-markdown'],
  dompurify: ['web/parts/readme/clean-html'],
  fastify: ['core/server/'],
  '@fastify/swagger': ['core/server/'],
  pino: ['core/server/'],
  react: ['cli/render/', 'web/app/', 'web/pages/', 'web/parts/'],
  'react-dom': ['web/app/main', 'web/app/notices'],
  typebox: [
    'core/config/',
    'core/server/',
    'core/protocol/schema',
    'core/protocol/decode',
    'core/protocol/events',
    'core/protocol/type-builder',
    'core/kernel/validate',
  ],
};
