import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../measure.ts';
import { compare, type Measured, type Row, withoutPeer } from '../row.ts';
import { has, type RunningServer, skulk } from '../world.ts';

const models = 2000;
const clients = 32;
/** The number of parts that Ollama requests at the same time. */
const parts = 16;

/** The data for clients of the Hub and of a registry: bytes compared with nginx, and descriptions of models in a large store. */
export const hub: Row = {
  id: 'hub',
  run: async (context) => {
    const { world, isQuick } = context;
    const home = join(world.directory, 'host');
    const root = join(home, 'store');
    writeModels(root);
    const store = await world.serve(home);
    const source = join(world.directory, 'source');
    mkdirSync(source);
    const bytes = (isQuick ? 0.5 : 2) * 1024 ** 3;
    const sha256 = world.writeRandom(join(source, 'm-Q4_K_M.gguf'), bytes);
    const env = { SKULK_HOME: home };
    await runCommand({ command: `${skulk} add ${source} --as bench/m-GGUF --move -q`, env });
    // All models are hashed before the measurement.
    await runCommand({ command: `${skulk} verify -q > /dev/null`, env });
    const resolve = `curl -sf -o /dev/null ${store.url}/bench/m-GGUF/resolve/main/m-Q4_K_M.gguf`;
    const models = `curl -sf -o /dev/null ${store.url}/models/bench%2Fm-GGUF/m-Q4_K_M.gguf`;
    const nginx = await world.nginx(root);
    const rows: Measured[] = [
      await compare(context, {
        name: "bytes through the Hub protocol / through the store's own",
        ours: { label: '/resolve/', command: resolve, serverPids: store.pids },
        theirs: { label: '/models/', command: models, serverPids: store.pids },
        most: 1.05,
        bytes,
      }),
    ];
    const names = [`curl of /resolve/ / nginx, thrown away`, `${parts} ranges at once as Ollama asks / nginx, thrown away`] as const;
    if (nginx === undefined) rows.push(...names.map((name) => withoutPeer(name, 'nginx', '<= 1.05')));
    else {
      const theirs = `${nginx.url}/bench--m-GGUF/m-Q4_K_M.gguf`;
      const pairs = [
        [resolve, `curl -sf -o /dev/null ${theirs}`],
        [inParts(`${store.url}/v2/bench/m-GGUF/blobs/sha256:${sha256}`, bytes), inParts(theirs, bytes)],
      ] as const;
      for (const [index, [own, other]] of pairs.entries())
        rows.push(
          await compare(context, {
            name: names[index] ?? '',
            ours: { label: 'skulk serve', command: own, serverPids: store.pids },
            theirs: { label: 'nginx', command: other, serverPids: nginx.pids },
            most: 1.05,
            bytes,
          }),
        );
    }
    rows.push(await measureAnswers(store, isQuick ? 3 : 10));
    return rows;
  },
};

/** Small models in a registry file. */
function writeModels(root: string): void {
  const entries: Record<string, object> = {};
  for (let index = 0; index < models; index += 1) {
    const directory = `org--model-${index}`;
    mkdirSync(join(root, directory), { recursive: true });
    const files = ['a.safetensors', 'b.safetensors', 'config.json'];
    for (const file of files) writeFileSync(join(root, directory, file), `${index} ${file}`);
    const model_id = `org/model-${index}`;
    const facts = { downloaded_at: '2026-01-01T00:00:00Z', total_bytes: 60, repo_has_projector: false };
    entries[model_id] = { model_id, store_path: directory, files, ...facts };
  }
  writeFileSync(join(root, 'registry.json'), JSON.stringify(entries));
}

function inParts(url: string, bytes: number): string {
  const size = Math.ceil(bytes / parts);
  const ranges = Array.from({ length: parts }, (_, index) => `${index * size}-${Math.min(bytes, (index + 1) * size) - 1}`);
  const all = ranges.map((range) => `curl -sf -o /dev/null -r ${range} ${url} & pids="$pids $!"`).join('; ');
  return `pids=; ${all}; for pid in $pids; do wait $pid || exit 1; done`;
}

/** The ratio of the slowest answers with many clients to those with one; it is the number of clients if they take turns. */
async function measureAnswers({ url }: RunningServer, seconds: number): Promise<Measured> {
  const path = '/api/models/org/model-777';
  const name = `GET ${path}, 2,000 models, p99 of ${clients} clients / of one client`;
  const goal = `<= ${clients}`;
  if (!has('wrk')) return withoutPeer(name, 'wrk', goal);
  const p99 = async (count: number): Promise<{ readonly ms: number; readonly note: string }> => {
    const { stdout } = await runCommand({ command: `wrk -t1 -c${count} -d${seconds}s --latency ${url}${path}` });
    const [, number, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
    const ms = Number(number) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? Number.NaN);
    return { ms, note: /Requests\/sec:\s+[\d.]+/.exec(stdout)?.[0] ?? '' };
  };
  await runCommand({ command: `curl -sf -o /dev/null ${url}${path}` });
  const [one, many] = [await p99(1), await p99(clients)];
  const same = (value: number) => ({ median: value, min: value, max: value });
  const ratio = many.ms / one.ms;
  const peer = { name: 'one client', value: same(one.ms) };
  return { name, unit: 'ms', value: same(many.ms), peer, ratio: same(ratio), goal, isMet: ratio <= clients, note: many.note };
}
