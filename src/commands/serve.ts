import { choice, defineCommand, flag, number, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk serve`: the store host's file server and API, until a signal ends it. */
export const serve = defineCommand({
  name: 'serve',
  summary: 'serve the store to the LAN',
  description: [
    'On the store host this runs the file server (58080) and the API (52415), whose address is also that of the page for the browser. When no configuration names a store host, this machine is it, with the store under $SKULK_HOME/store.',
    'skulk remembers which store it served from which path. When that path is empty later, or holds another store, its disk is probably not mounted: this ends with 4 and makes nothing there. --new-store serves what is there all the same. A directory with files that are no store is refused; --adopt-directory makes it the store: anyone who may read the store can then read those files.',
    'One line on standard output says when it is ready. On a terminal the address for the browser in it has a code that works once, within ten minutes, and lets that tab change settings; `skulk key` prints another. SIGTERM and Ctrl-C stop it: no new requests, what runs gets ten seconds to finish, exit status 0; a second signal ends it at once.',
  ],
  options: {
    role: choice('which part to play', 'ROLE', ['auto', 'store', 'node'], { fallback: 'auto' }),
    host: value('listen on this address only', 'ADDRESS', { fallback: 'every address' }),
    port: number('port of the file server; 0 picks a free one', 'PORT', { from: 0, to: 65_535, fallback: '58080' }),
    apiPort: number('port of the API; 0 picks a free one', 'PORT', { from: 0, to: 65_535, fallback: '52415' }),
    storePath: value('directory of the canonical copies', 'DIR', { fallback: '$SKULK_HOME/store' }),
    newStore: flag('serve an empty or another store where one was served before'),
    adoptDirectory: flag('make a directory with other files in it the store'),
    advertise: value('address at which nodes reach this machine', 'IP'),
    noMdns: flag('do not announce the store by mDNS, nor look for one'),
  },
  examples: [
    ['serve with the defaults', 'skulk serve'],
    ['another disk and port', 'skulk serve --store-path /Volumes/ModelStore/models --port 9000'],
    ['pick free ports and print them as JSON', 'skulk serve --port 0 --api-port 0 --json'],
  ],
  exits: ['store-unreachable', 'conflict', 'no-space'],
  run: async ({ role = 'auto', host, port, apiPort, storePath, advertise, noMdns, newStore, adoptDirectory }, context) => {
    const ofStores = newStore ? '--new-store' : adoptDirectory ? '--adopt-directory' : undefined;
    if (role === 'node' && ofStores !== undefined)
      throw new SkulkError('USAGE', `--role node has no store, so ${ofStores} means nothing to it`, { hint: 'leave one of them out' });
    if (role === 'node' && storePath !== undefined)
      throw new SkulkError('USAGE', '--role node has no store, so --store-path means nothing to it', {
        hint: 'leave one of them out; `staging.node_cache_path` in skulk.yaml says where copies go',
      });
    // The port of a node's own store is not the port of the store that it speaks to, so it is no setting here.
    const deps = await context.deps({ apiPort, storePath, advertise });
    const { serve: run } = await import('../core/server/app/serve.ts');
    await run(
      deps,
      {
        role: role === 'auto' && storePath !== undefined ? 'store' : role,
        logLevel: context.logLevel,
        ...(context.logStream !== undefined && { logStream: context.logStream }),
        mdns: !noMdns,
        newStore,
        adoptDirectory,
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port }),
        ...(apiPort !== undefined && { apiPort }),
      },
      (ready, makeLink) => {
        // What can be read later, or by others, gets no link that gives rights.
        const page = context.isOnTerminal() ? makeLink() : ready.api_url;
        context.announce(
          ready.role === 'store'
            ? `skulk store is ready: ${ready.store_url}, in your browser ${page} (store ${ready.store_path})`
            : `skulk node is ready: in your browser ${page} (store ${ready.store_url ?? 'not configured'})`,
          ready,
        );
      },
    );
  },
  text: () => [],
  json: () => undefined,
});
