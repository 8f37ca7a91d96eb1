import { choice, defineCommand, flag, number, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk serve`: the store host's file server and API, until a signal ends it. */
export const serve = defineCommand({
  name: 'serve',
  summary: 'serve the store to the LAN',
  description: [
    'On the store host this runs the file server (port 58080) and the API with the web page (port 52415). If no configuration names a store host, this machine is the store host, with the store in $SKULK_HOME/store.',
    'skulk remembers which store it served from which path. If that path is later missing or empty, or holds another store, its disk is probably not mounted: the command exits with status 4 and creates nothing. --new-store serves it anyway. A directory with other files is refused; --adopt-directory makes it the store, and everyone who may read the store can then read those files.',
    'With --upstream, this store gets the models that it lacks from another skulk store instead of Hugging Face, and keeps them. It changes nothing there, except that the other store first downloads a model that neither has. If that store needs a token, set SKULK_UPSTREAM_TOKEN.',
    'It prints one line when it is ready. On a terminal, the browser link in it contains a code that works once, within ten minutes, and gives that tab admin rights; `skulk key` prints another. SIGTERM and Ctrl-C stop the server: it accepts no new requests, waits up to ten seconds for running ones and exits with status 0. A second signal ends it at once.',
    'An admin can restart the server on the settings page or with POST /node/restart. It stops in the same way, then starts again with the same arguments, process id and ports. Windows cannot do this.',
  ],
  options: {
    role: choice('the role of this machine', 'ROLE', ['auto', 'store', 'node'], { fallback: 'auto' }),
    host: value('listen only on this address', 'ADDRESS', { fallback: 'every address' }),
    port: number('port of the file server; 0 picks a free one', 'PORT', { from: 0, to: 65_535, fallback: '58080' }),
    apiPort: number('port of the API; 0 picks a free one', 'PORT', { from: 0, to: 65_535, fallback: '52415' }),
    storePath: value('directory of the canonical copies', 'DIR', { fallback: '$SKULK_HOME/store' }),
    newStore: flag('serve a new or different store at a path where another one was served before'),
    adoptDirectory: flag('use a directory with other files in it as the store'),
    upstream: value('take models that this store lacks from the store at this URL, not from Hugging Face', 'URL'),
    advertise: value('address at which nodes reach this machine', 'IP'),
    noMdns: flag('do not announce the store by mDNS, and do not search for one'),
  },
  examples: [
    ['serve with the defaults', 'skulk serve'],
    ['another disk and port', 'skulk serve --store-path /Volumes/ModelStore/models --port 9000'],
    ['a second site, fed by the store of the first', 'skulk serve --upstream http://mac-studio-1:58080'],
    ['pick free ports and print them as JSON', 'skulk serve --port 0 --api-port 0 --json'],
  ],
  exits: ['store-unreachable', 'conflict', 'no-space'],
  run: async ({ role = 'auto', host, port, apiPort, storePath, upstream, advertise, noMdns, newStore, adoptDirectory }, context) => {
    const ofStores = newStore ? '--new-store' : adoptDirectory ? '--adopt-directory' : upstream === undefined ? undefined : '--upstream';
    if (role === 'node' && ofStores !== undefined)
      throw new SkulkError('USAGE', `--role node has no store, so ${ofStores} cannot be used with it`, { hint: 'use only one of them' });
    if (role === 'node' && storePath !== undefined)
      throw new SkulkError('USAGE', '--role node has no store, so --store-path cannot be used with it', {
        hint: 'use only one of them; `staging.node_cache_path` in skulk.yaml sets the directory of copies',
      });
    // The port of a node's own store is not the port of the store that it uses, so it is not passed here.
    const load = () => context.deps({ apiPort, storePath, upstream, advertise });
    const deps = await load();
    const { serve: run } = await import('../core/server/app/serve.ts');
    const { logStream, replacement } = context;
    const handover = await run(
      deps,
      {
        role: role === 'auto' && storePath !== undefined ? 'store' : role,
        logLevel: context.logLevel,
        ...(logStream !== undefined && { logStream }),
        ...(replacement !== undefined && { replacement }),
        loadAgain: load,
        mdns: !noMdns,
        newStore,
        adoptDirectory,
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port }),
        ...(apiPort !== undefined && { apiPort }),
      },
      (ready, makeLink) => {
        // A link that gives rights is not written to a file, a pipe or a log.
        const page = context.isOnTerminal() ? makeLink() : ready.api_url;
        context.announce(
          ready.role === 'store'
            ? `skulk store is ready: ${ready.store_url}, in your browser ${page} (store ${ready.store_path})`
            : `skulk node is ready: in your browser ${page} (store ${ready.store_url ?? 'not configured'})`,
          ready,
        );
      },
    );
    if (handover !== undefined) replacement?.replace(handover);
  },
  text: () => [],
  json: () => undefined,
});
