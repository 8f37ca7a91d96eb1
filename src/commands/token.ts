import { argument, choice, defineCommand, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk token`: named tokens of the store. */
export const token = defineCommand({
  name: 'token',
  summary: 'create, list or revoke tokens of the store',
  description: [
    '`create` generates a token and prints it once; it cannot be shown again. The role `read` may list and fetch models; `node` may also stage, add and delete them; `admin` may also change settings. `list` shows all names and roles. `revoke` invalidates a token: at once on the store host, within a minute on nodes.',
    'A machine sends a token if SKULK_TOKEN, --token or model_store.auth.token is set there. Creating a token does not close the store to the LAN; `skulk policy set lan none` does.',
    'On the store host this works without a running server. On other machines the command asks the store, and needs a token with the role admin.',
  ],
  arguments: {
    action: argument('what to do', { choices: ['create', 'list', 'revoke'], fallback: 'list' }),
    name: variadic('the name of the token', { parse: (text) => text, optional: true }),
  },
  options: { role: choice('create: what the token may do', 'ROLE', ['read', 'node', 'admin']) },
  examples: [
    ['create a token for a laptop that stages models', 'skulk token create laptop --role node'],
    ['list the tokens', 'skulk token list'],
    ['revoke a token', 'skulk token revoke laptop'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ action, name: names, role }, context) => {
    const [name, surplus] = names;
    const usage = (message: string): SkulkError => new SkulkError('USAGE', message, { hint: 'see: skulk token --help' });
    if (surplus !== undefined) throw usage(`"skulk token ${action}" takes one name, not ${names.length}`);
    if (action !== 'create' && role !== undefined) throw usage('--role belongs to "skulk token create"');
    if (action === 'list') {
      if (name !== undefined) throw usage('"skulk token list" takes no name');
      const deps = await context.deps();
      const { listTokens } = await import('../core/operations/store/administer-store.ts');
      return { action, ...(await listTokens(deps)) } as const;
    }
    if (name === undefined) throw usage(`"skulk token ${action}" needs the name of the token`);
    if (action === 'revoke') {
      const deps = await context.deps();
      const { revokeToken } = await import('../core/operations/store/administer-store.ts');
      return { action, revoked: (await revokeToken(deps, { name })).name } as const;
    }
    if (role === undefined) throw usage('"skulk token create" needs --role: read, node or admin');
    const deps = await context.deps();
    const { createToken } = await import('../core/operations/store/administer-store.ts');
    return { action: 'create', ...(await createToken(deps, { name, role })) } as const;
  },
  text: (result) => {
    switch (result.action) {
      case 'create':
        return [result.token];
      case 'list':
        return result.tokens.length === 0
          ? []
          : [
              {
                header: ['NAME', 'ROLE', 'CREATED'],
                rows: result.tokens.map(({ name, role, created_at }) => [name, role, { time: created_at }]),
              },
            ];
      default:
        return [`revoked ${result.revoked}`];
    }
  },
  json: ({ action: _, ...result }) => result,
  notice: (result) => {
    if (result.action === 'list') return result.tokens.length === 0 ? 'no tokens' : undefined;
    if (result.action !== 'create') return undefined;
    const lan =
      result.lan === 'none'
        ? []
        : [`without a token, the LAN still has the role ${result.lan}`, '`skulk policy set lan none` closes the store to it'];
    return ['it is not shown again', 'set SKULK_TOKEN to it on the machine that uses it', ...lan].join('\n');
  },
});
