import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, runCommand, summarize } from '../measure.ts';
import type { Row } from '../row.ts';
import { skulk } from '../world.ts';

const mebibyte = 1024 ** 2;

/** A limited transfer of ten seconds, over all threads: it should take the time of its bytes at that rate. */
export const rate: Row = {
  id: 'rate',
  run: async ({ world, isQuick }) => {
    const home = join(world.directory, 'host');
    const store = await world.serve(home);
    const source = join(world.directory, 'source');
    mkdirSync(source);
    const [perSecond, seconds] = [64, isQuick ? 3 : 10];
    world.writeRandom(join(source, 'model.gguf'), perSecond * seconds * mebibyte);
    await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
    const out = join(world.directory, 'out');
    const side = {
      label: 'limited',
      prepare: () => rmSync(out, { recursive: true, force: true }),
      command: `${skulk} stage bench/model --limit-rate ${perSecond}M --connections 4 --json -q`,
      env: { SKULK_HOME: out, SKULK_STORE: store.url },
    };
    const samples = (await alternate([side], isQuick ? 1 : 3)).get('limited') ?? [];
    const value = summarize(samples.map((sample) => sample.seconds));
    const ratio = summarize(samples.map((sample) => sample.seconds / seconds));
    return [
      {
        name: `stage --limit-rate ${perSecond}M, four threads: seconds for what ${seconds} s bring`,
        unit: 's',
        value,
        peer: { name: 'the rate', value: { median: seconds, min: seconds, max: seconds } },
        ratio,
        goal: '0.95 to 1.05',
        isMet: ratio.median >= 0.95 && ratio.median <= 1.05,
      },
    ];
  },
};
