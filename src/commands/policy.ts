import { argument, aside, defineCommand, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { describeValue } from '../core/operations/settings/describe-value.ts';

/** The keys with several values. */
const lists: ReadonlySet<string> = new Set(['server_names', 'hub.cors_origins']);

/** `skulk policy`: settings of the store that are not in skulk.yaml. */
export const policy = defineCommand({
  name: 'policy',
  summary: 'show, change or validate the policy of the store',
  description: [
    '`lan` sets what machines on the LAN may do without a token. `node`: read, stage, add and delete models (the default). `read`: list and fetch models. `none`: nothing. `server_names` lists additional names of the store, such as that of a proxy, separated by commas.',
    '`limits.forget_nodes_after_days` (14): days without a report after which a node is forgotten; `limits.forget_nodes_with_copies_after_days` (90) applies while it has copies. `limits.open_uploads` (64): maximum number of unfinished uploads. `limits.upload_idle_days` (7): days without data after which an unfinished upload or download is removed. skulk checks every hour.',
    '`hub.upstream` sets what a Hub client gets if the store does not have a model. `on-demand`: each file while it is being downloaded (the default). `job`: the files of a complete download. `off`: nothing; Hugging Face is never asked. `hub.max_fetch_bytes` (100 GiB) limits the download of one model by such requests. `hub.share_gated` (true): Hub clients see models that are gated on Hugging Face. `hub.cors_origins` lists web pages that may use the store as a Hub.',
    '`show` prints every setting and its origin. `set` changes one and prints the new and the old value; the value `default` resets it. `validate` checks the file, .skulk/v1/policy.yaml in the store. A running store host applies a change at once, its nodes within a minute.',
    'On the store host this works without a running server. On other machines the command asks the store, and `set` needs a token with the role admin.',
  ],
  arguments: {
    action: argument('what to do', { choices: ['show', 'set', 'validate'], fallback: 'show' }),
    words: variadic('set: the key and the value', { parse: (text) => text, optional: true }),
  },
  examples: [
    ['show the policy', 'skulk policy show'],
    ['let the LAN only list and fetch models', 'skulk policy set lan read'],
    ['require a token for everything', 'skulk policy set lan none'],
    ['keep unfinished uploads for a month', 'skulk policy set limits.upload_idle_days 30'],
    ['answer Hub clients from the store alone', 'skulk policy set hub.upstream off'],
    ['add the name of a proxy', 'skulk policy set server_names models.example.com'],
  ],
  exits: ['store-unreachable', 'conflict'],
  run: async ({ action, words }, context) => {
    const usage = (message: string): SkulkError => new SkulkError('USAGE', message, { hint: 'e.g. skulk policy set lan read' });
    const [name, ...values] = words;
    // Only a list has several values.
    if (action === 'set' && (name === undefined || values.length === 0 || (values.length > 1 && !lists.has(name))))
      throw usage('"skulk policy set" takes a key and a value');
    const value = values.join(',');
    if (action !== 'set' && name !== undefined) throw usage(`"skulk policy ${action}" takes nothing else`);
    const deps = await context.deps();
    const { setPolicy, showPolicy } = await import('../core/operations/store/administer-store.ts');
    if (action !== 'set' || name === undefined) return { action, ...(await showPolicy(deps)), changed: undefined };
    const { changed, view } = await setPolicy(deps, { key: name, value });
    return { action, ...view, changed };
  },
  text: ({ action, path, policy: settings, origin, changed }) => {
    if (action === 'validate') return [`${path}: valid`];
    // With -q, only what was asked for is printed.
    if (changed !== undefined) return [aside(changed)];
    return [
      {
        header: ['KEY', 'VALUE', 'ORIGIN'],
        // Two shortened keys may look alike.
        isWhole: [0],
        optional: [2],
        rows: flat(settings, '').map(([name, value]) => [
          name,
          describeValue(name, value),
          origin[name] === 'file' ? { text: path, short: 'file' } : 'default',
        ]),
        legend: { 2: `the file is ${path}` },
      },
    ];
  },
  json: ({ action: _, changed: __, ...view }) => view,
});

/** Settings by dotted key. */
function flat(settings: Readonly<Record<string, unknown>>, prefix: string): readonly (readonly [key: string, value: unknown])[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value] as const],
  );
}
