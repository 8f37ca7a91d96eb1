import { writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { printTable } from './print.ts';
import type { Measured, Row } from './row.ts';
import { eventLoop } from './rows/event-loop.ts';
import { hub } from './rows/hub.ts';
import { manyClients } from './rows/many-clients.ts';
import { memory } from './rows/memory.ts';
import { onHost } from './rows/on-host.ts';
import { rate } from './rows/rate.ts';
import { registry } from './rows/registry.ts';
import { selection } from './rows/selection.ts';
import { smallFiles } from './rows/small-files.ts';
import { startUp } from './rows/start-up.ts';
import { swarm } from './rows/swarm.ts';
import { transfer } from './rows/transfer.ts';
import { makeWorld, type World } from './world.ts';

const rows: readonly Row[] = [startUp, transfer, rate, smallFiles, onHost, registry, hub, manyClients, memory, eventLoop, selection, swarm];

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'string' } },
});
const isQuick = values.quick;
const rounds = Number(values.rounds ?? (isQuick ? 3 : 7));
const wanted = values.only?.split(',');
const unknown = wanted?.find((id) => !rows.some((row) => row.id === id));
if (unknown !== undefined) {
  console.error(`no row is called ${unknown}; there are ${rows.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}

const machine = {
  date: new Date().toISOString(),
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  memory_gib: Math.round(totalmem() / 1024 ** 3),
  system: `${platform()} ${release()} ${arch()}`,
  node: process.version,
  quick: isQuick,
  rounds,
};
let current: World | undefined;
let isEnding = false;
// A signal may come twice: from the terminal and from npm.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (isEnding) return;
    isEnding = true;
    void Promise.resolve(current?.close()).finally(() => process.exit(130));
  });
const measured: Measured[] = [];
const shown: string[] = [];
for (const row of rows.filter(({ id, isOnlyByName }) => (wanted === undefined ? isOnlyByName !== true : wanted.includes(id)))) {
  const world = makeWorld();
  current = world;
  try {
    console.error(`measuring ${row.id} …`);
    measured.push(...(await row.run({ world, isQuick, rounds, show: (text) => void shown.push(text) })));
  } finally {
    await world.close();
  }
}
console.log(`${machine.date}, ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.system}, Node ${machine.node}, ${rounds} rounds`);
console.log(printTable(measured));
for (const text of shown) console.log(`\n${text}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, measured }, undefined, 2)}\n`);
