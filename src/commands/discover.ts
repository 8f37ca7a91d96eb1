import { defineCommand, duration, flag, sentence } from '../cli/definition.ts';

/** `skulk discover`: the stores that announce themselves on the LAN. */
export const discover = defineCommand({
  name: 'discover',
  summary: 'find stores on the LAN by mDNS',
  description: [
    'Searches for `_skulk-store._tcp` on every LAN interface and lists the stores that answer. A machine without a configuration does the same, and uses the store if it finds exactly one. Names and versions are those that the stores announce. It also asks this machine and the configured store host at ports 58080 and 12415, and a store in `SKULK_STORE` at its own port. It says where the Python program answers.',
    'With --explain it also shows which address of this machine it would announce, and why not the others.',
  ],
  options: {
    timeout: duration('how long to listen', { fallback: '2s' }),
    explain: flag('also explain the addresses of this machine'),
  },
  examples: [
    ['list them', 'skulk discover'],
    ['use the first one', `export SKULK_STORE=$(skulk discover --json | jq -r '.stores[0].url // empty')`],
  ],
  exits: ['not-found'],
  run: async ({ timeout = 2_000, explain }, context) => {
    const deps = await context.deps();
    const { discover: ask } = await import('../core/connect/discover.ts');
    const { mayDiscover } = await import('../core/connect/may-use-mdns.ts');
    const { askKnownHosts } = await import('../core/connect/usual-ports.ts');
    const [found, asked] = await Promise.all([ask(deps, { timeoutMs: timeout }), mayDiscover(deps) ? askKnownHosts(deps) : []]);
    // A store that announces itself is already listed, under another address.
    const known = new Set(found.stores.map(({ url }) => url));
    const others = asked.filter(({ url, version }) => version === null && !known.has(url));
    return { ...found, others, explain };
  },
  text: ({ stores, others, addresses, problems, explain }) => [
    ...(stores.length + others.length === 0
      ? []
      : [
          {
            header: ['STORE', 'HOSTNAME', 'NODE', 'VERSION'],
            rows: [
              ...stores.map(({ url, hostname, node_id, version }) => [url, hostname, node_id, version]),
              ...others.map(({ url }) => [url, '', '', 'the Python program']),
            ],
          },
        ]),
    ...(explain
      ? addresses.map((one) =>
          sentence(`${one.chosen ? 'chosen' : 'not chosen'}: ${one.address} (${one.interface ?? 'configured'}), ${one.reason}`),
        )
      : []),
    ...(explain ? problems.map(sentence) : []),
  ],
  json: ({ stores, others, addresses, problems, explain }) => ({
    stores,
    ...(others.length > 0 && { others }),
    ...(explain && { addresses, problems }),
  }),
  notice: ({ stores, others, problems }) =>
    stores.length + others.length > 0
      ? undefined
      : `no store answered${problems.length > 0 ? ` (${problems[0]})` : ''}; multicast does not pass routers, many guest networks and some VPNs: if there is a store, set SKULK_STORE=http://HOST:58080`,
});
