import { expect, test } from 'vitest';
import type { RegistryList } from '../../src/core/protocol/models/entries.ts';
import type { ShownModel } from '../../src/core/protocol/models/shown-model.ts';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { type PythonModel, type PythonStore, pythonStore } from '../helpers/python-store.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const id = 'org/plain';

/** Runs commands on a machine whose store is the Python program's. */
async function nodeOf(store: Pick<PythonStore, 'url'>) {
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url, HF_HUB_OFFLINE: '1' };
  return (...args: readonly string[]) => runInProcess(args, { env });
}

/** What `show` reports of a model of a Python store host. */
async function show(model: Partial<PythonModel>, of = id): Promise<ShownModel & { readonly store: PythonStore }> {
  const store = await pythonStore({ [of]: model });
  const shown = await (await nodeOf(store))('show', of, '--json');
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  return { ...(JSON.parse(shown.stdout) as ShownModel), store };
}

/** A safetensors file with one tensor of two by three numbers. */
const weights = (): Buffer => {
  const head = Buffer.from(JSON.stringify({ w: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([length, head, Buffer.alloc(24)]);
};

test('show reads the small files and the headers of a model on a Python store host', async () => {
  const files = {
    'config.json': JSON.stringify({ architectures: ['LlamaForCausalLM'], model_type: 'llama', max_position_embeddings: 4096 }),
    'tokenizer_config.json': JSON.stringify({ chat_template: '<think>' }),
    'README.md': '---\nlicense: apache-2.0\nbase_model: org/base\n---\n# A model',
    'model.safetensors': weights(),
  };
  expect(await show({ files })).toMatchObject({
    tags: ['thinking', 'tensor'],
    family: 'llama',
    context_length: 4096,
    license: 'apache-2.0',
    base_model: 'org/base',
    parameters: 6,
    source: 'python-store',
    files: Object.entries(files).map(([path, content]) => ({ path, size: content.length, sha256: null })),
  });
});

test('show reads the metadata of a GGUF file on a Python store host, and the sizes of its quantizations', async () => {
  const gguf = ggufBytes({ 'general.architecture': 'qwen3', 'qwen3.context_length': 40_960, 'tokenizer.chat_template': '</think>' });
  const files = { 'm-Q4_K_M.gguf': gguf, 'm-Q8_0.gguf': Buffer.alloc(900, 1) };
  expect(await show({ files }, 'org/m-GGUF')).toMatchObject({
    tags: ['thinking'],
    family: 'qwen3',
    context_length: 40_960,
    quantizations: [
      { selector: 'Q4_K_M', size_bytes: gguf.length },
      { selector: 'Q8_0', size_bytes: 900 },
    ],
  });
});

test('the card of a later Python release has priority over the small files', async () => {
  const commit = 'c'.repeat(40);
  const card = { model_id: id, supports_tensor: true, capabilities: ['text', 'vision'], context_length: 123, gguf_file: '' };
  const record = { artifact_model_id: id, artifact_role: 'base', model_card: card };
  const files = { 'config.json': '{"architectures":["MistralForCausalLM"],"max_position_embeddings":5}' };
  const store = await pythonStore({ [id]: { files, source_revision: commit, installed_card: record } });
  store.isLater = true;
  const shown = await (await nodeOf(store))('show', id, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ tags: ['vision', 'tensor'], context_length: 123, card: 'python' });
});

test('partial downloads and marks in the list of a Python store host are not shown, and not counted', async () => {
  const files = {
    'config.json': '{}',
    'model.safetensors': weights(),
    'model.safetensors.partial': Buffer.alloc(500),
    '.skulk-source-revision': 'c',
    '.DS_Store': 'x',
  };
  const { store, ...shown } = await show({ files });
  expect(shown.files.map(({ path }) => path)).toEqual(['config.json', 'model.safetensors']);
  expect(shown.total_bytes).toBe(2 + weights().length);
  const run = await nodeOf(store);
  const { entries } = JSON.parse((await run('registry', '--json')).stdout) as RegistryList;
  expect(entries.map((entry) => entry.files)).toEqual([['config.json', 'model.safetensors']]);
});

test.each<[string, Record<string, string | Uint8Array>]>([
  ['a configuration of 5 MB', { 'config.json': `{"model_type":"llama","x":"${'x'.repeat(5_000_000)}"}` }],
  ['a configuration that is no JSON', { 'config.json': '{"model_type":' }],
  ['a configuration that is a list', { 'config.json': '[[[["llama"]]]]' }],
  ['values of wrong types', { 'config.json': '{"model_type":{"a":1},"architectures":"Llama","max_position_embeddings":"many"}' }],
  ['deeply nested values', { 'config.json': `${'['.repeat(200_000)}${']'.repeat(200_000)}` }],
  ['a template that is a number', { 'tokenizer_config.json': '{"chat_template":7}' }],
  ['a README with YAML that expands', { 'README.md': `---\na: &a [x,x]\nb: &b [*a,*a]\nlicense: *b\nbase_model: [*b, *b]\n---\n` }],
  ['a README with 5 MB of front matter', { 'README.md': `---\n${'a: b\n'.repeat(1_200_000)}license: mit\n---\n` }],
  ['a head of weights that claims 2^63 bytes', { 'model.safetensors': Buffer.alloc(64, 0xff) }],
  ['a GGUF file that claims 2^60 keys', { 'm-Q4_K_M.gguf': ggufBytes({}, { keys: 2n ** 60n }) }],
  ['an empty file', { 'config.json': '' }],
])('show ignores %s on a Python store host', async (_, files) => {
  const { store, ...shown } = await show({ files });
  expect(shown).toMatchObject({ tags: [], family: null, context_length: null, license: null, base_model: null, parameters: null });
  expect(shown.files.every(({ path, size }) => size === Buffer.from(files[path] ?? '').length)).toBe(true);
  // A large file is not transferred.
  expect(store.bytes()).toBeLessThan(1_000_000);
});

test('show describes a vision model whose files a Python store host hides, because it lacks the projector', async () => {
  const shown = await show({ files: { 'config.json': '{}', 'm-Q4_K_M.gguf': Buffer.alloc(100) }, repo_has_projector: true }, 'org/v-GGUF');
  expect(shown).toMatchObject({ source: 'python-store', files: [{ path: 'config.json', size: null }, { path: 'm-Q4_K_M.gguf' }] });
});

test('show leaves the size of a file unknown that a Python store host lists and does not have', async () => {
  const shown = await show({ files: { 'config.json': '{}' }, lost: ['gone.txt'] });
  expect(shown.files).toMatchObject([{ size: 2 }, { path: 'gone.txt', size: null }]);
});
