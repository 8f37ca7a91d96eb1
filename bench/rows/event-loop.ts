import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestFiles, parseManifest } from '../../src/core/catalog/manifest.ts';
import { summarize } from '../measure.ts';
import type { Measured, Row } from '../row.ts';
import type { RunningServer, World } from '../world.ts';

const sentCount = 2000;
const atOnce = 16;
/** A turn of the loop may take as long as parsing the manifest of the model at once, and twice as long as in an idle server. */
const mostUnits = 1;

const watcher = fileURLToPath(new URL('../loop-watch.mjs', import.meta.url));
const nameOf = (index: number): string => `part-${Math.floor(index / 500)}/file-${index}.txt`;
const contentOf = (index: number): string => `content of ${index}`;

function makeModel(directory: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    if (index % 500 === 0) mkdirSync(join(directory, `part-${index / 500}`), { recursive: true });
    writeFileSync(join(directory, nameOf(index)), contentOf(index));
  }
}

/** A server that reports the longest turn of its event loop, in milliseconds of processor time. */
interface WatchedServer {
  readonly server: RunningServer;
  readonly storePath: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The longest turn while `work` runs. */
  readonly busyMsDuring: (work: () => Promise<unknown>) => Promise<number>;
}

async function watchedServer(world: World): Promise<WatchedServer> {
  const home = join(world.directory, 'host');
  const report = join(world.directory, 'loop.json');
  const server = await world.serve(home, { NODE_OPTIONS: `--import ${watcher}`, SKULK_LOOP_REPORT: report });
  let times = 0;
  const longest = async (): Promise<number> => {
    process.kill(server.pids[0] ?? 0, 'SIGUSR2');
    times += 1;
    for (;;) {
      try {
        const now = JSON.parse(readFileSync(report, 'utf8')) as { times: number; maxMs: number };
        if (now.times === times) return now.maxMs;
      } catch {
        // Not written yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    server,
    storePath: join(home, 'store'),
    headers: { Authorization: `Bearer ${readFileSync(join(home, 'admin-key'), 'utf8').trim()}`, 'Content-Type': 'application/json' },
    busyMsDuring: async (work) => {
      await longest();
      await work();
      return longest();
    },
  };
}

async function ask(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok || text.startsWith('{"error"')) throw new Error(`${url}: ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/** The time to parse and check a manifest at once on this machine now, in milliseconds of processor time. */
function unitOf(manifest: string): number {
  const times = Array.from({ length: 5 }, () => {
    const { user, system } = process.threadCpuUsage();
    parseManifest(JSON.parse(manifest), 'the store');
    const after = process.threadCpuUsage();
    return (after.user + after.system - user - system) / 1000;
  });
  return summarize(times).median;
}

/** The longest turn of the server's event loop during requests for a model of very many files. */
export const eventLoop: Row = {
  id: 'event-loop',
  run: async ({ world, isQuick }) => {
    const fileCount = isQuick ? 5000 : 20_000;
    const { server, storePath, headers, busyMsDuring } = await watchedServer(world);
    const busy: [string, number][] = [];
    const watch = async (what: string, work: () => Promise<string>): Promise<string> => {
      let text = '';
      const ms = await busyMsDuring(async () => {
        text = await work();
      });
      busy.push([what, ms]);
      return text;
    };
    const idle = await busyMsDuring(async () => {
      for (let index = 0; index < 50; index += 1) await ask(`${server.url}/health`);
    });
    const post = (path: string): Promise<string> => ask(`${server.url}${path}`, { method: 'POST', headers, body: '{}' });

    makeModel(join(storePath, 'org--many'), fileCount);
    await watch('adopt', () => post('/models/org%2Fmany/adopt'));
    const manifest = await watch('manifest', () => ask(`${server.url}/models/org%2Fmany/manifest`));
    await watch('files', () => ask(`${server.url}/models/org%2Fmany/files`));
    await watch('show', () => ask(`${server.apiUrl}/store/models/org%2Fmany`));
    await watch('verify', () => post('/verify'));

    const { files, ...head } = parseManifest(JSON.parse(manifest), 'the store');
    const sent = files.slice(0, sentCount);
    const body = JSON.stringify({ ...head, model_id: 'org/sent', digest: digestFiles(sent), files: sent });
    const announced = await watch('announce', () => ask(`${server.url}/uploads/org%2Fsent`, { method: 'PUT', headers, body }));
    const { digest, upload, missing } = JSON.parse(announced) as { digest: string; upload: string; missing: [number, number][] };
    const place = `${server.url}/uploads/org%2Fsent/${digest}`;
    const pieces = missing.values();
    const octets = { ...headers, 'Content-Type': 'application/octet-stream' };
    const send = async (): Promise<void> => {
      for (const [file, start] of pieces) {
        const content = contentOf(Number(/(\d+)\.txt$/.exec(sent[file]?.path ?? '')?.[1]));
        await ask(`${place}/${file}/${start}?upload=${upload}`, { method: 'PUT', headers: octets, body: content });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, send));
    await watch('complete', () => ask(`${place}/complete?upload=${upload}`, { method: 'POST', headers }));
    await watch('delete', () => ask(`${server.apiUrl}/store/models/org%2Fmany`, { method: 'DELETE', headers }));

    const unit = unitOf(manifest);
    const most = 2 * idle + mostUnits * unit;
    return busy.map(([what, ms]): Measured => {
      const value = summarize([ms]);
      const peer = { name: 'idle twice, and the manifest parsed once', value: summarize([most]) };
      const ratio = summarize([ms / most]);
      const name = `longest turn of the event loop, ${what}, ${fileCount.toLocaleString('en')} files`;
      return { name, unit: 'ms', value, peer, ratio, goal: '<= 1', isMet: ratio.median <= 1 };
    });
  },
};
