import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../measure.ts';
import type { Measured, Row } from '../row.ts';
import { skulk } from '../world.ts';

/** Staging on the store host itself. */
export const onHost: Row = {
  id: 'on-host',
  run: async ({ world }) => {
    const home = join(world.directory, 'host');
    const store = join(home, 'store');
    const server = await world.serve(home);
    const source = join(world.directory, 'source');
    mkdirSync(source);
    world.writeRandom(join(source, 'model.gguf'), 256 * 1024 ** 2);
    await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
    const config = join(world.directory, 'in-place.yaml');
    writeFileSync(config, `model_store:\n  store_path: ${store}\n  staging: {node_cache_path: ${store}}\n`);
    const rows: Measured[] = [];
    for (const [name, env] of [
      ['in place', { SKULK_HOME: home, SKULK_CONFIG: config }],
      ['cloned', { SKULK_HOME: home }],
    ] as const) {
      const { stdout, seconds } = await runCommand({ command: `${skulk} stage bench/model --json -q`, env });
      const [staged] = (JSON.parse(stdout) as { staged: { source: string; bytes_transferred: number }[] }).staged;
      const bytes = staged?.bytes_transferred ?? Number.NaN;
      const isReflink = staged?.source !== 'clone' || bytes === 0;
      rows.push({
        name: `staging on the host, ${name}: bytes copied`,
        unit: 'bytes',
        value: { median: bytes, min: bytes, max: bytes },
        goal: '0',
        isMet: isReflink ? bytes === 0 : null,
        note: `${staged?.source}, ${(seconds * 1000).toFixed(0)} ms${isReflink ? '' : '; this file system has no reflinks'}`,
      });
    }
    await server.stop();
    return rows;
  },
};
