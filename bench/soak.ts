import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, summarize } from './measure.ts';
import { makeWorld, skulk } from './world.ts';

/*
 * Sixteen clients for ten minutes: whole files, ranges, heads, manifests, lists, clients that disconnect in the middle, and now and then a
 * whole `skulk stage`. The server's resident memory and open files are measured every five seconds: they should not grow.
 */

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '16' } } });
const until = Date.now() + Number(values.minutes) * 60_000;
const world = makeWorld();
const bytes = 64 * 1024 ** 2;

interface Look {
  readonly resident: number;
  readonly handles: number;
}

/** MiB resident, and files and sockets open. */
function look(pid: number): Look {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { resident: Number(kibibytes) / 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}

try {
  const home = join(world.directory, 'host');
  const store = await world.serve(home);
  const [pid = 0] = store.pids;
  const source = join(world.directory, 'source');
  mkdirSync(source);
  world.writeRandom(join(source, 'model.gguf'), bytes);
  for (let index = 0; index < 100; index += 1) world.writeRandom(join(source, `small-${index}.bin`), 10_000);
  await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env: { SKULK_HOME: home } });
  let [requests, failures, stages] = [0, 0, 0];
  const get = (path: string, { method = 'GET', headers = {}, leaveAfter = Number.POSITIVE_INFINITY } = {}): Promise<void> =>
    new Promise((resolve) => {
      const asked = request(store.url + path, { method, headers, agent: false }, (response) => {
        let seen = 0;
        response.on('data', (part: Buffer) => {
          seen += part.length;
          if (seen > leaveAfter) response.destroy();
        });
        response.once('close', resolve);
        response.on('error', () => undefined);
        if ((response.statusCode ?? 500) >= 400) failures += 1;
      });
      asked.on('error', () => {
        failures += 1;
        resolve();
      });
      requests += 1;
      asked.end();
    });
  const model = '/models/bench%2Fmodel';
  const turns = [
    () => get(`${model}/model.gguf`),
    () => get(`${model}/model.gguf`, { leaveAfter: 5_000_000 }),
    () => get(`${model}/model.gguf`, { headers: { range: `bytes=${Math.floor(Math.random() * bytes)}-` } }),
    () => get(`${model}/model.gguf`, { method: 'HEAD' }),
    () => get(`${model}/small-${Math.floor(Math.random() * 100)}.bin`),
    () => get(`${model}/manifest`),
    () => get('/registry'),
    () => get('/health'),
  ];
  const client = async (number: number): Promise<void> => {
    while (Date.now() < until) {
      if (number === 0) {
        const node = join(world.directory, 'node');
        rmSync(node, { recursive: true, force: true });
        await runCommand({ command: `${skulk} stage bench/model -q`, env: { SKULK_HOME: node, SKULK_STORE: store.url } });
        stages += 1;
      } else await turns[Math.floor(Math.random() * turns.length)]?.();
    }
  };
  const looks: Look[] = [];
  const timer = setInterval(() => looks.push(look(pid)), 5_000);
  await Promise.all(Array.from({ length: Number(values.clients) }, (_, index) => client(index)));
  clearInterval(timer);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const rest = look(pid);
  const third = Math.floor(looks.length / 3);
  const part = (name: string, some: readonly Look[]): void => {
    const [resident, handles] = [summarize(some.map((one) => one.resident)), summarize(some.map((one) => one.handles))];
    const show = ({ median, min, max }: typeof resident): string => `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)})`;
    console.log(`${name}: resident ${show(resident)} MiB, open ${show(handles)}`);
  };
  console.log(`${values.minutes} minutes, ${values.clients} clients: ${requests} requests, ${failures} failures, ${stages} stages`);
  part('first third', looks.slice(0, third));
  part('second third', looks.slice(third, 2 * third));
  part('last third', looks.slice(2 * third));
  console.log(`two seconds after the last request: resident ${rest.resident.toFixed(0)} MiB, open ${rest.handles}`);
} finally {
  await world.close();
}
