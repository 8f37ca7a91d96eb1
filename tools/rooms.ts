/** What a room may import of the others: values and types, or types only. */
export interface Room {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  /** Rooms outside core and packages that single files may import beside that. */
  readonly doors?: Readonly<Record<string, readonly string[]>>;
  readonly forbiddenModules?: RegExp;
}

const leaves = ['core/protocol', 'core/kernel'];
const data = ['core/transfer', 'core/catalog', ...leaves];
/** They hold the data, and know each other by types only. */
const dataRooms = ['core/staging', 'core/store', 'core/jobs', 'core/fleet'];
/** What reaches a store, from a machine that has it and from others. */
const reach = [
  'core/optimize',
  'core/engines',
  'core/store',
  'core/jobs',
  'core/fleet',
  'core/sources',
  'core/client',
  'core/access',
  ...data,
];

const notOfBrowsers = /^node:/;
const documents = ['core/protocol'];

/** Who may import whom, from top to bottom: a room imports values only of rooms below it here. A room may always import itself. */
export const rooms: Readonly<Record<string, Room>> = {
  commands: {
    values: ['core/operations', ...leaves, 'cli/definition'],
    types: ['core/config', 'core/connect'],
    doors: {
      // The one command that runs a server.
      'commands/serve.ts': ['core/server', 'core/connect', 'core/fleet'],
      // The options that say which files are taken pass the gate that bodies of requests pass.
      'commands/wanted-files.ts': ['core/catalog/selection/wanted-files'],
      // The programs whose lines it prints are choices of an option.
      'commands/show.ts': ['core/catalog/programs/programs'],
      // Looking around is a step of every connection, and its verb shows what was seen.
      'commands/discover.ts': ['core/connect'],
    },
    forbiddenModules: /^node:|^[^.]/,
  },
  cli: {
    values: ['core/config', ...leaves],
    // Screens show what operations follow, and their keys call what operations offer.
    types: ['core/connect', 'core/operations'],
    // Whoever runs a command closes its connections.
    doors: { 'cli/run-command.ts': ['core/connect'] },
  },
  // The way in for programs: it names what is public, and reads the environment of the process for whoever gives none.
  'index.ts': { values: ['library', 'core/kernel'], types: ['core/operations', 'core/store', 'core/jobs', 'core/protocol'] },
  library: {
    values: ['core/operations', 'core/connect', 'core/config', ...leaves],
    types: ['core/store', 'core/jobs'],
    doors: { 'library/read-input.ts': ['core/catalog/selection/wanted-files'] },
  },
  'core/server': {
    values: ['core/operations', 'core/node', 'core/connect', 'core/endpoint', 'core/access', ...data],
    types: ['core/store', 'core/client', 'core/config', 'core/jobs', 'core/fleet'],
    // The one place that puts a server together.
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
      // It is what describes, checks and writes the configuration.
      'core/operations/settings/config.ts': ['core/config'],
      'core/operations/settings/config-questions.ts': ['core/config'],
      'core/operations/settings/change-config.ts': ['core/config'],
      'core/operations/settings/saved-config.ts': ['core/config'],
      'core/operations/settings/view-config.ts': ['core/config'],
      'core/operations/store/store-policy.ts': ['core/config'],
      // It looks at everything.
      'core/operations/doctor/run-doctor.ts': ['core/config'],
    },
  },
  // What a machine that stages does with its copies and with the orders of its store.
  'core/node': { values: ['core/connect', 'core/staging', ...reach], types: ['core/config'] },
  // The way to a store: where it is, who may speak to it, and by the disk or over HTTP.
  'core/connect': {
    values: ['core/staging', ...reach],
    types: ['core/config'],
    // It tells a directory that is not mounted from a store that is not there.
    doors: { 'core/connect/store/find-store.ts': ['core/config'], 'core/connect/store/open-host-store.ts': ['core/config'] },
  },
  // The store as other tools see it: as a Hub and as a registry, without HTTP.
  'core/endpoint': { values: data, types: [...dataRooms, 'core/sources'] },
  // Makes variants of models: brings engines, jobs and the store together.
  'core/optimize': { values: ['core/engines', 'core/store', 'core/jobs', 'core/staging', ...data] },
  // Programs that make variants. They know processes and files, not stores.
  'core/engines': { values: ['core/catalog', ...leaves] },
  'core/staging': { values: data, types: dataRooms },
  'core/store': { values: data, types: dataRooms },
  'core/jobs': { values: data, types: dataRooms },
  'core/fleet': { values: data, types: dataRooms },
  'core/sources': { values: data, types: ['core/store', 'core/jobs'] },
  // A client speaks for a store, reads its manifests and brings its bytes.
  'core/client': {
    values: data,
    types: ['core/store', 'core/jobs', 'core/fleet', 'core/access'],
  },
  // Who may do what: keys, tokens, and the server of this machine.
  'core/access': { values: leaves },
  'core/transfer': { values: leaves },
  'core/catalog': { values: leaves },
  'core/config': { values: leaves },
  // What crosses a process or lies on a disk: plain data, types, and one decoder.
  'core/protocol': { values: ['core/kernel'] },
  'core/kernel': { values: [] },
  // The browser view. It knows the server by its API alone, takes the types of the answers from the documents, and shares what is
  // common to both ends.
  'web/app': { values: ['web/pages', 'web/parts', 'web/api', 'web/styles'], types: documents, forbiddenModules: notOfBrowsers },
  'web/pages': { values: ['web/parts', 'web/api'], types: documents, forbiddenModules: notOfBrowsers },
  'web/parts': { values: ['web/api'], types: documents, forbiddenModules: notOfBrowsers },
  'web/api': {
    values: [],
    // What a stream says and what people paste is read in one way everywhere, and so are requests made; these files import no values.
    doors: {
      'web/api/live.ts': ['core/kernel/flow/event-parser'],
      'web/api/model-ref.ts': ['core/kernel/split-ref'],
      'web/api/call.ts': ['core/protocol/routes/call'],
      // The lines to type are made in one place.
      'web/api/programs.ts': ['core/catalog/programs'],
    },
    forbiddenModules: notOfBrowsers,
  },
};

/** The places that may import a package: one vendor, one door. Packages that are not named may be imported nowhere. */
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
  'react-dom': ['web/app/main'],
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
