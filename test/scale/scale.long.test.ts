import { mkdir, open, readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { createModelRecords } from '../../src/core/store/records/model-records.ts';
import { readFingerprintSync } from '../../src/core/transfer/fingerprint.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { peakMemoryOf, peakUntilEnd } from '../helpers/peak-memory.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { sized } from '../helpers/seeded.ts';
import { startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const gibibyte = 1024 ** 3;
const fileCount = sized({ small: 80, large: 5_000 });
const nodeCount = sized({ small: 4, large: 64 });
const maxResident = 200 * 1024 ** 2;

/** A store with a model of one sparse file of zeros that counts as hashed. */
async function storeOfZeros(home: string, id: string, bytes: number): Promise<void> {
  const modelId = parseModelId(id);
  const root = join(home, 'store');
  const directory = join(root, id.replace('/', '--'));
  await mkdir(directory, { recursive: true });
  const file = await open(join(directory, 'a.safetensors'), 'w');
  await file.truncate(bytes);
  await file.close();
  const chunk = sha256(Buffer.alloc(chunkSize));
  const chunks = Array.from({ length: bytes / chunkSize }, () => chunk);
  // The file is never hashed as a whole here; a transfer is checked against its chunks.
  const entry = { path: 'a.safetensors' as RelativePath, size: bytes, sha256: sha256(`zeros ${bytes}`), chunks };
  const manifest = makeManifest(modelId, [entry], { source: 'add', createdAt: new Date() });
  const seen = readFingerprintSync(join(directory, 'a.safetensors'));
  if (seen === undefined) throw new Error('the file is not there');
  const layout = storeLayout(root);
  await createModelRecords(layout).write(manifest, { seen: { 'a.safetensors': seen } });
  const registered = {
    model_id: id,
    store_path: id.replace('/', '--'),
    files: ['a.safetensors'],
    downloaded_at: '2026-01-01T00:00:00Z',
    total_bytes: bytes,
    repo_has_projector: false,
  };
  await writeFile(layout.registry, JSON.stringify({ [id]: registered }));
}

test('a model of 200 GiB is planned, requested and read at its end with constant memory', async () => {
  const home = await temporaryDirectory();
  await storeOfZeros(join(home, 'host'), 'org/huge', 200 * gibibyte);
  const host = await startServe({ home: join(home, 'host') });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: host.url };
  const planning = startSkulk(['stage', 'org/huge', '--dry-run', '--json'], { env });
  const peak = await peakUntilEnd(planning);
  const { planned } = JSON.parse((await planning.exited).stdout) as { planned: { bytes_to_transfer: number }[] };
  expect(planned[0]?.bytes_to_transfer).toBe(200 * gibibyte);
  expect(peak).toBeLessThan(maxResident);
  const last = 200 * gibibyte - 10;
  const end = await ask(host.url, '/models/org%2Fhuge/a.safetensors', { headers: { range: `bytes=${last}-` } });
  expect([end.status, end.body.equals(Buffer.alloc(10)), end.headers['content-range']]).toEqual([
    206,
    true,
    `bytes ${last}-${200 * gibibyte - 1}/${200 * gibibyte}`,
  ]);
  // If it does not fit, this is reported before a byte is sent.
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < 200 * gibibyte) expect(await runInProcess(['stage', 'org/huge'], { env })).toMatchObject({ status: 7, stdout: '' });
  expect(peakMemoryOf(host.pid)).toBeLessThan(maxResident);
});

test('a transfer of a large model has constant memory on both sides, is killed, and resumes', async () => {
  const home = await temporaryDirectory();
  const bytes = sized({ small: 160 * 1024 ** 2, large: 2 * gibibyte });
  await storeOfZeros(join(home, 'host'), 'org/large', bytes);
  const host = await startServe({ home: join(home, 'host') });
  onTestFinished(() => host[Symbol.asyncDispose]());
  await using proxy = await faultProxy(host.url);
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url };
  // Half of it is sent, and then the process is killed.
  proxy.setRate(bytes);
  const first = startSkulk(['stage', 'org/large', '-q'], { env });
  await within('half of the model', Promise.race([proxy.passed(bytes / 2), first.exited]), first.stderr);
  expect(peakMemoryOf(first.pid)).toBeLessThan(maxResident);
  first.child.kill('SIGKILL');
  await first.exited;
  proxy.setRate(0);
  const second = startSkulk(['stage', 'org/large', '--json', '-q'], { env });
  const peak = await peakUntilEnd(second);
  const ended = await second.exited;
  expect(ended.status, ended.stderr).toBe(0);
  const [staged] = (JSON.parse(ended.stdout) as { staged: { bytes_total: number; bytes_transferred: number }[] }).staged;
  expect(staged?.bytes_total).toBe(bytes);
  expect(staged?.bytes_transferred).toBeLessThan(bytes * 0.75);
  expect(peak).toBeLessThan(maxResident);
  expect(peakMemoryOf(host.pid)).toBeLessThan(maxResident);
});

test(`a model of ${fileCount} files is staged with one request for each file, and checked again without a request`, async () => {
  const home = await temporaryDirectory();
  const files = Object.fromEntries(
    Array.from({ length: fileCount }, (_, index) => [`part-${index % 50}/${index}.bin`, `content of ${index}`]),
  );
  await writeFiles(join(home, 'source'), files);
  await mkdir(join(home, 'host/store'), { recursive: true });
  const host = await startServe({ home: join(home, 'host') });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const added = await runInProcess(['add', join(home, 'source'), '--as', 'org/many'], { env: { SKULK_HOME: join(home, 'host') } });
  expect(added.status, added.stderr).toBe(0);
  await using proxy = await faultProxy(host.url);
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url };
  const staging = startSkulk(['stage', 'org/many', '-q'], { env });
  const peak = await peakUntilEnd(staging);
  const ended = await staging.exited;
  expect(ended.status, ended.stderr).toBe(0);
  const forFiles = proxy.requests.filter((line) => line.includes('/models/') && !line.endsWith('/manifest'));
  expect(forFiles).toHaveLength(fileCount);
  expect(peak).toBeLessThan(maxResident);
  expect(peakMemoryOf(host.pid)).toBeLessThan(maxResident);
  const before = proxy.requests.length;
  expect(await runInProcess(['stage', 'org/many'], { env })).toMatchObject({ status: 0 });
  expect(proxy.requests.length - before).toBe(1);
  expect(await runInProcess(['verify', '--staging'], { env })).toMatchObject({ status: 0 });
});

test(`${nodeCount} nodes at the same time all get their copy`, async () => {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'source'), { 'a.safetensors': noise(4 * 1024 ** 2, 9), 'config.json': '{}' });
  await mkdir(join(home, 'host/store'), { recursive: true });
  const host = await startServe({ home: join(home, 'host') });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const added = await runInProcess(['add', join(home, 'source'), '--as', 'org/m'], { env: { SKULK_HOME: join(home, 'host') } });
  expect(added.status, added.stderr).toBe(0);
  const nodes = Array.from({ length: nodeCount }, (_, index) => `node-${index}`);
  const ended = await Promise.all(
    nodes.map((name) =>
      runInProcess(['stage', 'org/m', '-q'], { env: { SKULK_HOME: join(home, name), SKULK_NODE_ID: name, SKULK_STORE: host.url } }),
    ),
  );
  expect(ended.filter(({ status }) => status !== 0).map(({ stderr }) => stderr)).toEqual([]);
  for (const name of nodes) expect((await readdir(join(home, name, 'staging'))).filter((entry) => entry !== '.skulk')).toEqual(['org--m']);
  const known = (await ask(host.url, '/nodes')).json() as { node_id: string; staged_models: number }[];
  expect(known.filter(({ node_id, staged_models }) => nodes.includes(node_id) && staged_models === 1)).toHaveLength(nodeCount);
  expect(peakMemoryOf(host.pid)).toBeLessThan(maxResident);
});
