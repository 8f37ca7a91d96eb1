import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const shards = { 'm-Q8_0-00001-of-00002.gguf': noise(400, 2), 'm-Q8_0-00002-of-00002.gguf': noise(100, 3) };
const files = { ...shards, 'config.json': '{}', 'm-Q4_K_M.gguf': noise(300, 1), 'm-UD-Q2_K_XL.gguf': noise(50, 4) };

async function homeWith(source: Readonly<Record<string, string | Uint8Array>>) {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'store'));
  await writeFiles(join(home, 'source'), source);
  const run = (...args: readonly string[]) => runInProcess(args, { env: { SKULK_HOME: home } });
  return { home, run };
}

test('show lists the quantizations of a model with size, bits, files, digest and the nodes with a copy', async () => {
  const { home, run } = await homeWith(files);
  await run('add', join(home, 'source'), '--as', 'org/three');
  const server = await serveInProcess({ home });
  const copy = { model_id: 'org/three', size_bytes: 302, last_used: '2026-01-01T00:00:00.000Z', in_use: false, over_budget: false };
  const part = { size_bytes: 300, last_used: copy.last_used, in_use: false, over_budget: false };
  const report = { version: '1', agent: false, staged_models: 1, staged_bytes: 302, free_bytes: 1 };
  for (const [node, quantizations] of [
    ['n1', [{ ...part, selector: 'Q4_K_M' }]],
    ['n2', undefined],
  ] as const) {
    const body = JSON.stringify({ ...report, hostname: `host-${node}`, copies: [{ ...copy, quantizations }] });
    expect(
      (await ask(server.url, `/nodes/${node}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
    ).toBe(200);
  }
  const shown = await run('show', 'org/three', '--json');
  const { quantizations } = JSON.parse(shown.stdout) as { quantizations: object[] };
  const digest: unknown = expect.stringMatching(/^[0-9a-f]{64}$/);
  const q8 = { selector: 'Q8_0', label: 'Q8_0', files: Object.keys(shards), size_bytes: 500, bits_per_weight: 8.5, digest, staged_on: [] };
  expect(quantizations).toEqual([
    {
      selector: 'Q4_K_M',
      label: 'Q4_K_M',
      files: ['m-Q4_K_M.gguf'],
      size_bytes: 300,
      bits_per_weight: 4.89,
      digest,
      staged_on: ['host-n1'],
    },
    q8,
    {
      selector: 'UD-Q2_K_XL',
      label: 'UD-Q2_K_XL',
      files: ['m-UD-Q2_K_XL.gguf'],
      size_bytes: 50,
      bits_per_weight: null,
      digest,
      staged_on: [],
    },
  ]);
  expect((JSON.parse((await run('show', 'org/three:q8_0', '--json')).stdout) as { quantizations: object[] }).quantizations).toEqual([q8]);
  const text = (await run('show', 'org/three')).stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trim());
  expect(text).toContain('QUANTIZATION  SIZE  BITS  FILES  STAGED ON');
  expect(text).toContain('Q8_0  500 B  8.5  2  -');
  expect(text).toContain('Q4_K_M  300 B  4.89  1  host-n1');

  // With a selector, everything is about that quantization.
  expect(await run('stage', 'org/three:Q4_K_M')).toMatchObject({ status: 0 });
  const ofPart = async (selector: string) =>
    JSON.parse((await run('show', `org/three:${selector}`, '--json')).stdout) as {
      digest: string;
      staged: object | null;
      quantizations: { digest: string }[];
      nodes: { hostname: string; size_bytes: number }[];
    };
  const [four, eight] = [await ofPart('q4_k_m'), await ofPart('Q8_0')];
  expect(four).toMatchObject({ digest: four.quantizations[0]?.digest, staged: { digest: four.digest } });
  expect(four.nodes.map(({ hostname, size_bytes }) => [hostname, size_bytes])).toContainEqual(['host-n1', 300]);
  expect(four.nodes.map(({ hostname }) => hostname)).not.toContain('host-n2');
  expect(eight).toMatchObject({ digest: eight.quantizations[0]?.digest, staged: null, nodes: [] });
  const lines = (await run('show', 'org/three:Q8_0')).stdout;
  expect(lines).toContain(`digest    sha256:${eight.digest}\n`);
  expect(lines).toContain('staged    not on this machine\n');
  expect(lines).not.toContain('on nodes');
});

test('registry shows the only quantization of a model or their number, all with -v, and all in JSON', async () => {
  const { home, run } = await homeWith(files);
  await writeFiles(join(home, 'one'), { 'x-Q6_K.gguf': noise(10, 1) });
  await writeFiles(join(home, 'none'), { 'model.safetensors': noise(10, 1) });
  for (const [source, id] of [
    ['source', 'a/three'],
    ['one', 'b/one'],
    ['none', 'c/none'],
  ] as const)
    await run('add', join(home, source), '--as', id);
  const names = ['Q4_K_M', 'Q8_0', 'UD-Q2_K_XL'];
  const { entries } = JSON.parse((await run('registry', '--json')).stdout) as { entries: { quantizations: string[] }[] };
  expect(entries.map(({ quantizations }) => quantizations)).toEqual([names, ['Q6_K'], []]);
  const cells = (text: string): readonly string[] =>
    text
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(/ {2,}/)[3] ?? '');
  expect(cells((await run('registry')).stdout)).toEqual(['3 quantizations', 'Q6_K']);
  expect(cells((await run('registry', '-v')).stdout)).toEqual([names.join(', '), 'Q6_K']);
  const server = await serveInProcess({ home });
  const answer = (await ask(server.url, '/store/registry')).json() as { entries: { quantizations: string[] }[] };
  expect(answer.entries.map(({ quantizations }) => quantizations)).toEqual([names, ['Q6_K'], []]);
  expect((JSON.parse((await run('registry', '--json')).stdout) as typeof answer).entries[0]?.quantizations).toEqual(names);
});

test('add includes every quantization of a directory, and refuses one without a shard before anything is written', async () => {
  const { home, run } = await homeWith(files);
  expect(await run('add', join(home, 'source'), '--as', 'org/three')).toMatchObject({ status: 0 });
  expect(await readdir(join(home, 'store', 'org--three'))).toEqual(Object.keys(files).toSorted());
  const { 'm-Q8_0-00001-of-00002.gguf': _, ...holed } = files;
  await writeFiles(join(home, 'holed'), holed);
  const refused = await run('add', join(home, 'holed'), '--as', 'org/holed');
  expect(refused).toMatchObject({ status: 3, stdout: '' });
  expect(refused.stderr).toContain('lacks "m-Q8_0-00001-of-00002.gguf" of Q8_0, so org/holed was not added');
  expect(refused.stderr).toContain('remove "m-Q8_0-00002-of-00002.gguf"');
  await writeFiles(join(home, 'claims'), { 'm-Q8_0-00003-of-99999.gguf': 'x' });
  expect((await run('add', join(home, 'claims'), '--as', 'org/claims')).stderr).toContain('and 99993 more of Q8_0');
  expect((await readdir(join(home, 'store'))).filter((name) => name.includes('--'))).toEqual(['org--three']);
});
