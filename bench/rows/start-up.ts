import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, runCommand, summarize } from '../measure.ts';
import { compare, type Row } from '../row.ts';
import { skulk } from '../world.ts';

/** The time of commands that have nothing to do. */
export const startUp: Row = {
  id: 'start-up',
  run: async (context) => {
    const { world } = context;
    const rounds = context.isQuick ? 11 : 31;
    const version = await compare(
      { rounds },
      {
        name: 'skulk --version / node -e 0',
        ours: { label: 'skulk --version', command: `${skulk} --version > /dev/null` },
        theirs: { label: 'node -e 0', command: `${process.execPath} -e 0` },
        most: 1.5,
      },
    );
    const home = join(world.directory, 'host');
    const store = await world.serve(home);
    const source = join(world.directory, 'source');
    mkdirSync(source);
    world.writeRandom(join(source, 'model.gguf'), 256 * 1024 ** 2);
    await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
    const config = join(world.directory, 'skulk.yaml');
    const { hostname, port } = new URL(store.url);
    writeFileSync(config, `model_store:\n  store_host: some-host\n  store_http_host: ${hostname}\n  store_port: ${port}\n`);
    const node = join(world.directory, 'node');
    const sides = [
      { label: 'SKULK_STORE', env: { SKULK_HOME: node, SKULK_STORE: store.url } },
      { label: 'skulk.yaml', env: { SKULK_HOME: node, SKULK_CONFIG: config } },
    ];
    await runCommand({ command: `${skulk} stage bench/model -q`, env: { SKULK_HOME: node, SKULK_STORE: store.url } });
    const samples = await alternate(
      [
        ...sides.map(({ label, env }) => ({ label: `stage ${label}`, command: `${skulk} stage bench/model -q`, env })),
        ...sides.slice(0, 1).map(({ label, env }) => ({ label: `registry ${label}`, command: `${skulk} registry -q > /dev/null`, env })),
      ],
      rounds,
    );
    const row = (label: string, name: string, most: number) => {
      const value = summarize((samples.get(label) ?? []).map(({ seconds }) => seconds * 1000));
      return { name, unit: 'ms' as const, value, ratio: value, goal: `<= ${most}`, isMet: value.median <= most };
    };
    return [
      version,
      row('stage SKULK_STORE', 'staging again what is staged, the store named by SKULK_STORE', 150),
      row('stage skulk.yaml', 'staging again what is staged, the store named by skulk.yaml', 150),
      row('registry SKULK_STORE', 'skulk registry', 200),
    ];
  },
};
