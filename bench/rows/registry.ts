import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../measure.ts';
import type { Measured, Row } from '../row.ts';
import { has, skulk } from '../world.ts';

const models = 2000;
const most = 50;

/** A store of many models, with requests of 32 clients at the same time. */
export const registry: Row = {
  id: 'registry',
  run: async ({ world, isQuick }) => {
    const home = join(world.directory, 'host');
    const root = join(home, 'store');
    const entries: Record<string, object> = {};
    for (let index = 0; index < models; index += 1) {
      const directory = `org--model-${index}`;
      mkdirSync(join(root, directory), { recursive: true });
      for (const file of ['config.json', 'a.safetensors', 'b.safetensors']) writeFileSync(join(root, directory, file), `${index} ${file}`);
      const model_id = `org/model-${index}`;
      const files = ['a.safetensors', 'b.safetensors', 'config.json'];
      entries[model_id] = {
        model_id,
        store_path: directory,
        files,
        downloaded_at: '2026-01-01T00:00:00Z',
        total_bytes: 60,
        repo_has_projector: false,
      };
    }
    writeFileSync(join(root, 'registry.json'), JSON.stringify(entries));
    const store = await world.serve(home);
    // All models are hashed before the measurement.
    await runCommand({ command: `${skulk} verify -q > /dev/null`, env: { SKULK_HOME: home } });
    const goal = `<= ${most}`;
    if (!has('wrk'))
      return [{ name: 'registry of 2,000 models', unit: 'ms', value: none, goal, isMet: null, note: 'wrk is not installed' }];
    const seconds = isQuick ? 3 : 10;
    const rows: Measured[] = [];
    for (const path of ['/registry', '/models/org%2Fmodel-777/manifest']) {
      await runCommand({ command: `curl -sf -o /dev/null ${store.url}${path}` });
      const { stdout } = await runCommand({ command: `wrk -t1 -c32 -d${seconds}s --latency ${store.url}${path}` });
      const [, number, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
      const p99 = Number(number) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? Number.NaN);
      const value = { median: p99, min: p99, max: p99 };
      const note = /Requests\/sec:\s+[\d.]+/.exec(stdout)?.[0];
      rows.push({
        name: `GET ${path}, 2,000 models, 32 clients, p99`,
        unit: 'ms',
        value,
        ratio: value,
        goal,
        isMet: p99 <= most,
        ...(note && { note }),
      });
    }
    return rows;
  },
};

const none = { median: Number.NaN, min: Number.NaN, max: Number.NaN };
