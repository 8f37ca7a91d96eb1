import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Lab, type Machine, makeLab, missingForLab, outputOf } from '../lab.ts';
import { runCommand, summarize } from '../measure.ts';
import type { BenchContext, Measured, Row } from '../row.ts';
import { skulk } from '../world.ts';

/** Of each link, in both directions. */
const megabits = 10;
/** A transfer of more than a minute, as long as the goals assume; in `--quick` ten seconds. */
const usualMegabytes = { full: 85, quick: 12 };
const usualNodes = { full: [1, 4, 8, 16], quick: [1, 4] };
/** More nodes that take a model from the store alone only take longer, in proportion. */
const maxNodesByWire = 8;
const name = 'the last node of several that stage one model / one node alone';

/** One measurement. */
interface Point {
  readonly nodes: number;
  /** `apart`: together, but no node reaches another one. */
  readonly way: 'wire' | 'swarm' | 'apart';
  /** When the last node had finished. */
  readonly seconds: number;
  /** What the store host sent, in sizes of the model, with all headers. */
  readonly copies: number;
  /** What the nodes report. */
  readonly together: number;
}

/** Nodes that stage one model at the same time, each behind its own link, with and without help from each other. */
export const swarm: Row = {
  id: 'swarm',
  isOnlyByName: true,
  run: async (context) => {
    const missing = missingForLab();
    if (missing !== undefined)
      return [{ name, unit: 'ratio', value: summarize([]), goal: '<= 1.5', isMet: null, note: `needs ${missing}` }];
    const points = await measureAll(context, makeLab(context.world, megabits));
    context.show(printCurve(points));
    return summaryOf(points);
  },
};

async function measureAll(context: BenchContext, lab: Lab): Promise<readonly Point[]> {
  const { world, isQuick } = context;
  const size = isQuick ? 'quick' : 'full';
  const nodes = process.env['SKULK_BENCH_NODES']?.split(',').map(Number) ?? usualNodes[size];
  const bytes = Number(process.env['SKULK_BENCH_MB'] ?? usualMegabytes[size]) * 1e6;
  const [home, source] = [join(world.directory, 'host'), join(world.directory, 'source')];
  mkdirSync(source);
  world.writeRandom(join(source, 'model.gguf'), bytes);
  const env = { SKULK_HOME: home };
  await runCommand({ command: `${skulk} add ${source} --as bench/model --move -q`, env });
  for (const setting of ['enabled auto', 'min_bytes 1']) await runCommand({ command: `${skulk} policy set swarm.${setting}`, env });
  const host = lab.join();
  const machines = Array.from({ length: Math.max(...nodes) }, () => lab.join());
  const points: Point[] = [];
  const ways = process.env['SKULK_BENCH_WAYS']?.split(',') ?? ['wire', 'swarm'];
  for (const count of nodes)
    for (const way of ['wire', 'swarm', 'apart'] as const) {
      // One node takes a model from the store alone in any case.
      if (count === 1 ? way !== 'wire' : !ways.includes(way) || (way !== 'swarm' && count > maxNodesByWire)) continue;
      const point = await measure({ host, home, machines: machines.slice(0, count), way, bytes, directory: world.directory });
      console.error(`  ${count} by ${way}: ${point.seconds.toFixed(1)} s, the store sent ${point.copies.toFixed(2)} copies`);
      points.push(point);
    }
  return points;
}

/** Starts a store host and all nodes at the same time, and waits for the last one. */
async function measure(plan: {
  readonly host: Machine;
  readonly home: string;
  readonly machines: readonly Machine[];
  readonly way: Point['way'];
  readonly bytes: number;
  readonly directory: string;
}): Promise<Point> {
  const { host, home, machines, way, bytes, directory } = plan;
  const program = [process.execPath, fileURLToPath(new URL('../../bin/skulk.js', import.meta.url))];
  const args = ['serve', '--host', host.address, '--port', '0', '--api-port', '0', '--no-mdns', '--json'];
  const server = host.start([...program, ...args], { SKULK_HOME: home, HF_HUB_OFFLINE: '1' });
  const [line] = (await once(server.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
  // A full pipe would stop it.
  for (const stream of [server.stdout, server.stderr]) stream?.resume();
  const { store_url: url } = JSON.parse(String(line)) as { store_url: string };
  for (const machine of machines) machine.cutOff(way === 'apart');
  const before = host.sentBytes();
  const alone = (bytes * 8) / (megabits * 1e6);
  const began = performance.now();
  const homes = machines.map((_, index) => join(directory, `node-${index}`));
  const nodes = machines.map(async (machine, index) => {
    const env = { SKULK_HOME: homes[index] ?? '', SKULK_STORE: url };
    const child = machine.start([...program, 'stage', 'bench/model', '--json', ...(way === 'wire' ? ['--no-swarm'] : [])], env);
    const printed = await outputOf(child, 2 * alone * machines.length + 60);
    return { seconds: (performance.now() - began) / 1000, staged: (JSON.parse(printed) as { staged: [{ source: string }] }).staged[0] };
  });
  const ended = await Promise.all(nodes);
  const copies = (host.sentBytes() - before) / bytes;
  if (process.env['SKULK_BENCH_VERBOSE'] !== undefined)
    for (const node of ended) console.error(`    ${node.seconds.toFixed(1)} s ${JSON.stringify(node.staged)}`);
  for (const one of homes) rmSync(one, { recursive: true, force: true });
  const exit = once(server, 'exit');
  server.kill('SIGTERM');
  await exit;
  const together = ended.filter(({ staged }) => staged.source === 'swarm').length;
  return { nodes: machines.length, way, seconds: Math.max(...ended.map(({ seconds }) => seconds)), copies, together };
}

const ratioOf = (point: Point, points: readonly Point[]): number =>
  point.seconds / (points.find(({ nodes }) => nodes === 1)?.seconds ?? Number.NaN);

const nameOf = { wire: 'store alone', swarm: 'together', apart: 'together, apart' };

/** The curve as a Markdown table. */
function printCurve(points: readonly Point[]): string {
  const cells = (nodes: number, way: Point['way']): readonly string[] => {
    const point = points.find((one) => one.nodes === nodes && (one.way === way || nodes === 1));
    if (point === undefined) return ['-', '-', '-'];
    return [point.seconds.toFixed(0), ratioOf(point, points).toFixed(2), point.copies.toFixed(2)];
  };
  const counts = [...new Set(points.map(({ nodes }) => nodes))];
  const ways = points.some(({ way }) => way === 'apart') ? (['wire', 'swarm', 'apart'] as const) : (['wire', 'swarm'] as const);
  const head = ['nodes', ...ways.map((way) => nameOf[way]).flatMap((way) => [`${way}: s`, 'last / one', 'copies sent'])];
  const lines = counts.map((nodes) => [String(nodes), ...ways.flatMap((way) => cells(nodes, way))]);
  return [head, head.map(() => '---:'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The goals concern eight nodes: the last one within 1.5 of the time of one, and at most 1.6 copies from the store. */
function summaryOf(points: readonly Point[]): readonly Measured[] {
  return points
    .filter(({ way }) => way === 'swarm')
    .flatMap((point) => {
      const note = `${point.together} of ${point.nodes} took it together`;
      const goal = (value: number, limit: number) =>
        point.nodes === 8 ? { goal: `<= ${limit}`, isMet: Number.isNaN(value) ? null : value <= limit } : noGoal;
      const ratio = ratioOf(point, points);
      const nodes = `${point.nodes} nodes`;
      return [
        { name: `the last of ${nodes} together / one alone`, unit: 'ratio', value: summarize([ratio]), ...goal(ratio, 1.5), note },
        {
          name: `${nodes} together: copies that the store sent`,
          unit: 'ratio',
          value: summarize([point.copies]),
          ...goal(point.copies, 1.6),
        },
      ] satisfies readonly Measured[];
    });
}

const noGoal = { goal: '', isMet: null };
