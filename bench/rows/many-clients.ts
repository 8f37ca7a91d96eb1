import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { peakMemoryOf, runCommand, type Side } from '../measure.ts';
import { compare, type Row } from '../row.ts';
import { skulk } from '../world.ts';

const clients = 32;

/** Many clients at the same time on one file: together they should reach the throughput of one client. */
export const manyClients: Row = {
  id: 'many-clients',
  run: async (context) => {
    const { world, isQuick } = context;
    const home = join(world.directory, 'host');
    const store = await world.serve(home);
    const source = join(world.directory, 'source');
    mkdirSync(source);
    const bytes = (isQuick ? 64 : 128) * 1024 ** 2;
    world.writeRandom(join(source, 'model.gguf'), bytes);
    await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
    const url = `${store.url}/models/bench%2Fmodel/model.gguf`;
    const get = `curl -sf -o /dev/null ${url}`;
    const one: Side = {
      label: `one client, ${clients} times`,
      command: `for i in $(seq ${clients}); do ${get}; done`,
      serverPids: store.pids,
    };
    const all: Side = {
      label: `${clients} clients at once`,
      command: `pids=; for i in $(seq ${clients}); do ${get} & pids="$pids $!"; done; for pid in $pids; do wait $pid || exit 1; done`,
      serverPids: store.pids,
    };
    const measured = await compare(context, {
      name: `${clients} clients at once / as many one after the other (0.9 of the throughput is 1.11)`,
      ours: all,
      theirs: one,
      most: 1 / 0.9,
      bytes: bytes * clients,
    });
    const resident = peakMemoryOf(store.pids[0] ?? 0) / 1024 ** 2;
    const value = { median: resident, min: resident, max: resident };
    return [
      measured,
      { name: `serve, most resident, ${clients} clients`, unit: 'MiB', value, ratio: value, goal: '<= 200', isMet: resident <= 200 },
    ];
  },
};
