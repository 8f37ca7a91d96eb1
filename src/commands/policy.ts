import { argument, defineCommand, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk policy`: settings of the store that skulk.yaml does not have. */
export const policy = defineCommand({
  name: 'policy',
  summary: 'show, change or validate the policy of the store',
  description: [
    'The policy says what the LAN may do without a token (lan: node, read or none) and under which names the store may be asked beside its own (server_names). It also has limits. It lies in .skulk/v1/policy.yaml of the store; a running server follows it at once.',
    'Limits: limits.forget_nodes_after_days (14) and limits.forget_nodes_with_copies_after_days (90) say after how many days without news a node is forgotten. limits.open_uploads (64) says how many uploads may be open at one time. limits.upload_idle_days (7) says after how many days without a byte an unfinished upload is removed. Nodes and uploads that are too old are looked for every hour.',
    'show prints every setting and where it comes from. set changes one; the value default brings the default back. validate checks the file.',
    'On the store host this works on the disk, with or without a server. Elsewhere it asks the store, where changes want a token of role admin.',
  ],
  arguments: {
    action: argument('what to do', { choices: ['show', 'set', 'validate'] }),
    words: variadic('set: the key and the value', { parse: (text) => text, optional: true }),
  },
  examples: [
    ['what applies?', 'skulk policy show'],
    ['the LAN may only look and fetch', 'skulk policy set lan read'],
    ['nothing without a token', 'skulk policy set lan none'],
    ['keep unfinished uploads for a month', 'skulk policy set limits.upload_idle_days 30'],
    ['a name of a proxy', 'skulk policy set server_names models.example.com'],
  ],
  exits: ['store-unreachable', 'conflict'],
  run: async ({ action, words }, context) => {
    const usage = (message: string): SkulkError => new SkulkError('USAGE', message, { hint: 'e.g. skulk policy set lan read' });
    const [name, value, surplus] = words;
    if (action === 'set' && (name === undefined || value === undefined || surplus !== undefined))
      throw usage('"skulk policy set" takes a key and a value');
    if (action !== 'set' && name !== undefined) throw usage(`"skulk policy ${action}" takes nothing else`);
    const deps = await context.deps();
    const { setPolicy, showPolicy } = await import('../core/operations/administer-store.ts');
    const view =
      action === 'set' && name !== undefined && value !== undefined ? await setPolicy(deps, { key: name, value }) : await showPolicy(deps);
    return { action, ...view };
  },
  text: ({ action, path, policy: settings, origin }) => {
    if (action === 'validate') return [`${path}: in order`];
    return [
      {
        header: ['KEY', 'VALUE', 'ORIGIN'],
        rows: flat(settings, '').map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : String(value),
          origin[name] === 'file' ? path : 'default',
        ]),
      },
    ];
  },
  json: ({ action: _, ...view }) => view,
});

/** Settings by their keys with dots. */
function flat(settings: Readonly<Record<string, unknown>>, prefix: string): readonly (readonly [key: string, value: unknown])[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value] as const],
  );
}
