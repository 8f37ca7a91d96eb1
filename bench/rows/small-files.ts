import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, type Side } from '../measure.ts';
import { compare, type Row } from '../row.ts';
import { skulk } from '../world.ts';

const files = 500;
const bytesEach = 20 * 1024;

/** Many small files compared with the same bytes in one file. */
export const smallFiles: Row = {
  id: 'small-files',
  run: async (context) => {
    const { world } = context;
    const home = join(world.directory, 'host');
    const store = await world.serve(home);
    for (const [name, count, bytes] of [
      ['many', files, bytesEach],
      ['one', 1, files * bytesEach],
    ] as const) {
      const source = join(world.directory, name);
      mkdirSync(source);
      for (let index = 0; index < count; index += 1) world.writeRandom(join(source, `part-${index}.bin`), bytes);
      await runCommand({ command: `${skulk} add ${source} --as bench/${name} --move -q`, env: { SKULK_HOME: home } });
    }
    const out = join(world.directory, 'out');
    const side = (name: string): Side => ({
      label: name,
      prepare: () => rmSync(out, { recursive: true, force: true }),
      command: `${skulk} stage bench/${name} -q`,
      env: { SKULK_HOME: out, SKULK_STORE: store.url },
      serverPids: store.pids,
    });
    return [
      await compare(context, {
        name: `${files} files of 20 KiB / the same bytes in one file`,
        ours: side('many'),
        theirs: { ...side('one'), label: 'one file' },
        most: 2,
      }),
    ];
  },
};
