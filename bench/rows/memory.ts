import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { peakMemoryOf, runCommand } from '../measure.ts';
import type { Measured, Row } from '../row.ts';
import { skulk } from '../world.ts';

const mebibyte = 1024 ** 2;
const most = 200;

/** The maximum resident memory of serve and stage while a model is sent, small and large. */
export const memory: Row = {
  id: 'memory',
  run: async ({ world, isQuick }) => {
    const rows: Measured[] = [];
    for (const gib of isQuick ? [0.25, 1] : [1, 10]) {
      const home = join(world.directory, `host-${gib}`);
      const store = await world.serve(home);
      const source = join(world.directory, 'source');
      mkdirSync(source, { recursive: true });
      // Zeros that use no memory on the host's side, because the other side needs it.
      const file = openSync(join(source, 'model.gguf'), 'w');
      ftruncateSync(file, gib * 1024 ** 3);
      closeSync(file);
      await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
      const node = join(world.directory, `node-${gib}`);
      const stage = await peakOf(`stage bench/model -q`, { SKULK_HOME: node, SKULK_STORE: store.url });
      for (const [name, bytes] of [
        ['stage', stage],
        ['serve', peakMemoryOf(store.pids[0] ?? 0)],
      ] as const) {
        const value = { median: bytes / mebibyte, min: bytes / mebibyte, max: bytes / mebibyte };
        rows.push({
          name: `${name}, most resident, ${gib} GiB`,
          unit: 'MiB',
          value,
          ratio: value,
          goal: `<= ${most}`,
          isMet: value.median <= most,
        });
      }
      await store.stop();
      for (const place of [home, node, source]) rmSync(place, { recursive: true, force: true });
    }
    return rows;
  },
};

/** Runs skulk and measures its memory until it ends. */
async function peakOf(args: string, env: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...rest] = `${skulk} ${args}`.split(' ');
  const child = spawn(program, rest, { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }, stdio: 'ignore' });
  let peak = 0;
  const look = setInterval(() => {
    try {
      peak = Math.max(peak, peakMemoryOf(child.pid ?? 0));
    } catch {
      // It has just ended.
    }
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (status !== 0) throw new Error(`skulk ${args} ended with ${status}`);
  return peak;
}
