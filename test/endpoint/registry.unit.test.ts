import { describe, expect, test } from 'vitest';
import type { GgufHeader } from '../../src/core/catalog/gguf-header.ts';
import { type HubAsker, type HubFile, HubRefusal, type HubRepo } from '../../src/core/endpoint/contract.ts';
import { digestOf } from '../../src/core/endpoint/registry/make-image.ts';
import { createRegistry } from '../../src/core/endpoint/registry/registry.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { sha256 } from '../helpers/model-files.ts';
import { until } from '../helpers/waiting.ts';

type Contents = Readonly<Record<string, string | { readonly cold: string }>>;

const node: HubAsker = { mayFetch: true };
const reader: HubAsker = { mayFetch: false };

/** A repo of texts; cold files are listed but not in the store. */
function repoOf(contents: Contents, commit = 'c'.repeat(40)): HubRepo {
  const files = Object.entries(contents).map(([path, content]): HubFile => {
    const bytes = Buffer.from(typeof content === 'string' ? content : content.cold);
    const lfs = path.endsWith('.gguf') ? { sha256: sha256(bytes) as Sha256, pointerSize: 130 } : undefined;
    return { path: path as RelativePath, size: bytes.length, oid: '0'.repeat(40), lfs, isHeld: typeof content === 'string' };
  });
  return {
    id: parseModelId('acme/tiny-GGUF'),
    commit,
    files,
    byPath: new Map(files.map((file) => [file.path, file])),
    isComplete: true,
    lastModified: '2026-01-01T00:00:00.000Z',
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}

const chatml: GgufHeader = {
  architecture: 'llama',
  parameters: 1_235_814_432,
  fileType: 'Q8_0',
  ollama: { template: '{{ .Prompt }}', stop: ['<|im_end|>'] },
};

function registryOf(contents: Contents, { header = chatml, pin }: { header?: GgufHeader | undefined; pin?: string } = {}) {
  const asked: string[] = [];
  const repo = repoOf(contents);
  const registry = createRegistry({
    hub: {
      repo: async ({ id }) => {
        if (id.toLowerCase() !== 'acme/tiny-gguf') throw new HubRefusal('repoNotFound', `${id} is not in the store`);
        return repo;
      },
      open: async (_, { path }) => {
        const content = contents[path] ?? '';
        return {
          kind: 'stream',
          bytes: (async function* () {
            yield Buffer.from(typeof content === 'string' ? content : content.cold);
          })(),
        };
      },
    },
    header: async (_, { path }) => {
      asked.push(path);
      return header;
    },
    pinOf: async () => pin,
  });
  const { signal } = new AbortController();
  const manifest = async (tag: string, { asker = node, isForLlama = false, id = 'acme/tiny-GGUF' } = {}) => {
    const { bytes, digest } = await registry.manifest({ id, tag }, { asker, isForLlama, signal });
    expect(digest).toBe(digestOf(bytes));
    return JSON.parse(bytes.toString());
  };
  const blob = (digest: string, { asker = node, id = 'acme/tiny-GGUF' } = {}) => registry.blob({ id, digest }, { asker, signal });
  const text = async (digest: string): Promise<string> => {
    const found = await blob(digest);
    return found.kind === 'made' ? found.bytes.toString() : `the file ${found.file.path}`;
  };
  return { manifest, blob, text, asked };
}

const kinds = ({ layers }: { layers: readonly { mediaType: string }[] }): readonly (string | undefined)[] =>
  layers.map(({ mediaType }) => mediaType.split('.').at(-1));

const plain = { 'README.md': 'x', 'tiny-Q8_0.gguf': 'eight', 'tiny-Q4_K_M.gguf': 'four' };

describe('a registry manifest', () => {
  test('has the weights, the template and the parameters as layers, and a configuration', async () => {
    const { manifest, text } = registryOf(plain);
    const found = await manifest('q8_0');
    expect(found).toMatchObject({ schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' });
    expect(Object.keys(found)).toEqual(['schemaVersion', 'mediaType', 'config', 'layers']);
    expect(kinds(found)).toEqual(['model', 'template', 'params']);
    expect(found.layers[0]).toEqual({ mediaType: 'application/vnd.ollama.image.model', digest: digestOf(Buffer.from('eight')), size: 5 });
    expect(await text(found.layers[1].digest)).toBe('{{ .Prompt }}');
    expect(await text(found.layers[2].digest)).toBe('{"stop":["<|im_end|>"]}');
    expect(found.config.mediaType).toBe('application/vnd.docker.container.image.v1+json');
    expect(JSON.parse(await text(found.config.digest))).toEqual({
      model_format: 'gguf',
      model_family: 'llama',
      model_families: ['llama'],
      model_type: '1.2B',
      file_type: 'Q8_0',
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: found.layers.map(({ digest }: { digest: string }) => digest) },
    });
  });

  test('names the files themselves only for llama.cpp', async () => {
    const { manifest } = registryOf({ ...plain, 'mmproj-tiny-F16.gguf': 'eye' });
    const found = await manifest('Q4_K_M', { isForLlama: true });
    expect(found.ggufFile).toEqual({ rfilename: 'tiny-Q4_K_M.gguf', blobId: digestOf(Buffer.from('four')), size: 4 });
    expect(found.mmprojFile).toEqual({ rfilename: 'mmproj-tiny-F16.gguf', blobId: digestOf(Buffer.from('eye')), size: 3 });
    expect(kinds(found)).toEqual(['model', 'projector', 'template', 'params']);
  });

  test('has no template and no parameters if the file has none that can be converted', async () => {
    const { manifest } = registryOf(plain, { header: { architecture: 'llama' } });
    expect(kinds(await manifest('Q8_0'))).toEqual(['model']);
    expect(kinds(await registryOf(plain, { header: {} }).manifest('Q8_0'))).toEqual(['model']);
  });

  test("prefers the repo's own files for Ollama", async () => {
    const own = { template: 'TEMPLATE', system: 'be kind', params: '{"stop":["END"],"temperature":0.5}', LICENSE: 'MIT' };
    const { manifest, text } = registryOf({ ...plain, ...own });
    const found = await manifest('Q8_0');
    expect(kinds(found)).toEqual(['model', 'template', 'system', 'params', 'license']);
    expect(await Promise.all(found.layers.slice(1).map(({ digest }: { digest: string }) => text(digest)))).toEqual(Object.values(own));
  });

  test.each(['not JSON', '[1]', 'null', '""'])('ignores a file `params` that is %j', async (params) => {
    const { manifest, text } = registryOf({ ...plain, params });
    expect(await text((await manifest('Q8_0')).layers.at(-1).digest)).toBe('{"stop":["<|im_end|>"]}');
  });

  test('gives the number of parameters in the format of Ollama', async () => {
    const typeOf = async (header: GgufHeader): Promise<string> => {
      const { manifest, text } = registryOf(plain, { header });
      return JSON.parse(await text((await manifest('Q8_0')).config.digest)).model_type;
    };
    expect(await typeOf({ parameters: 8_030_261_312 })).toBe('8B');
    expect(await typeOf({ parameters: 361_821_120 })).toBe('361.82M');
    expect(await typeOf({ parameters: 70 })).toBe('70');
    expect(await typeOf({ sizeLabel: '8x7B' })).toBe('8x7B');
    expect(await typeOf({})).toBe('unknown');
  });

  const shards = { 'big-BF16-00001-of-00002.gguf': 'one', 'big-BF16-00002-of-00002.gguf': 'two' };

  test('of a split file is refused to Ollama with a clear message, and names the first shard for llama.cpp', async () => {
    const { manifest } = registryOf(shards);
    await expect(manifest('BF16')).rejects.toMatchObject({
      status: 404,
      code: 'MANIFEST_UNKNOWN',
      message: 'split GGUF: BF16 of acme/tiny-GGUF is 2 files, which Ollama cannot pull; use llama.cpp, or skulk stage',
    });
    expect((await manifest('bf16', { isForLlama: true })).ggufFile.rfilename).toBe('big-BF16-00001-of-00002.gguf');
  });

  test('is refused for an unknown model and an unknown tag', async () => {
    const { manifest } = registryOf(plain);
    await expect(manifest('Q2_K')).rejects.toMatchObject({
      status: 404,
      code: 'MANIFEST_UNKNOWN',
      message: 'acme/tiny-GGUF has no quantization "Q2_K"; it has Q4_K_M, Q8_0',
    });
    await expect(manifest('Q2_K', { id: 'acme/none' })).rejects.toMatchObject({ status: 404, code: 'NAME_UNKNOWN' });
    for (const id of ['../x', 'a/..', 'a/b/c', 'a/b\r\n', ''])
      await expect(manifest('Q8_0', { id })).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  });
});

describe('a blob digest', () => {
  test('of a file selects that file', async () => {
    const { blob } = registryOf(plain);
    expect(await blob(digestOf(Buffer.from('four')))).toMatchObject({ kind: 'file', file: { path: 'tiny-Q4_K_M.gguf' } });
  });

  test('of a generated layer is found by a registry that has not sent its manifest', async () => {
    const found = await registryOf(plain).manifest('Q4_K_M');
    const { text, asked } = registryOf(plain);
    expect(JSON.parse(await text(found.config.digest)).file_type).toBe('Q4_K_M');
    expect(await text(found.layers[1].digest)).toBe('{{ .Prompt }}');
    expect(asked).toEqual(['tiny-Q4_K_M.gguf']);
  });

  test('that is unknown has each file examined once', async () => {
    const { blob, asked } = registryOf(plain);
    for (let tries = 0; tries < 3; tries += 1)
      await expect(blob(digestOf(Buffer.from('?')))).rejects.toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' });
    expect(asked.toSorted()).toEqual(['tiny-Q4_K_M.gguf', 'tiny-Q8_0.gguf']);
  });

  test.each([
    '',
    'sha256:',
    'sha256:xyz',
    `sha256:${'A'.repeat(64)}`,
    'a'.repeat(64),
    `md5:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(65)}`,
    '../x',
  ])('%j is not valid', async (digest) => {
    await expect(registryOf(plain).blob(digest)).rejects.toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
  });
});

test('a manifest is created again for waiting readers when the first request was cancelled', async () => {
  const repo = repoOf(plain);
  const started: AbortSignal[] = [];
  const registry = createRegistry({
    hub: { repo: async () => repo, open: async () => ({ kind: 'stream', bytes: (async function* () {})() }) },
    header: (_repo, _file, { signal }) => {
      started.push(signal);
      // The first one never ends by itself.
      if (started.length > 1) return Promise.resolve(chatml);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    pinOf: async () => undefined,
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const ask = ({ signal }: AbortController) =>
    registry.manifest({ id: 'acme/tiny-GGUF', tag: 'Q8_0' }, { asker: node, isForLlama: false, signal });
  const [cancelled, waiting] = [ask(first), ask(second)];
  await until('the first request to read the head of the file', () => started.length === 1);
  first.abort(new Error('went away'));
  await expect(cancelled).rejects.toThrow('went away');
  expect(JSON.parse((await waiting).bytes.toString()).layers).toHaveLength(3);
  expect(started).toHaveLength(2);
});

test('a manifest includes a projector and files for Ollama that were added to the store later', async () => {
  const ofFirst: Contents = { ...plain, 'mmproj-tiny-F16.gguf': { cold: 'eye' }, system: { cold: 'be kind' } };
  const ofSecond: Contents = { ...plain, 'mmproj-tiny-F16.gguf': 'eye', system: 'be kind' };
  let repo = repoOf(ofFirst);
  const registry = createRegistry({
    hub: {
      repo: async () => repo,
      open: async () => ({
        kind: 'stream',
        bytes: (async function* () {
          yield Buffer.from('be kind');
        })(),
      }),
    },
    header: async () => chatml,
    pinOf: async () => undefined,
  });
  const { signal } = new AbortController();
  const layers = async () => {
    const { bytes } = await registry.manifest({ id: 'acme/tiny-GGUF', tag: 'Q8_0' }, { asker: reader, isForLlama: false, signal });
    return kinds(JSON.parse(bytes.toString()));
  };
  expect(await layers()).toEqual(['model', 'template', 'params']);
  repo = repoOf(ofSecond);
  expect(await layers()).toEqual(['model', 'projector', 'template', 'system', 'params']);
});

describe('a registry manifest of files that the store does not have', () => {
  const some = { 'tiny-Q8_0.gguf': 'eight', 'tiny-Q4_K_M.gguf': { cold: 'four' }, system: { cold: 'be kind' } };

  test('prefers files of the store for `latest`', async () => {
    expect((await registryOf(some).manifest('latest')).layers[0].size).toBe(5);
  });

  test('is refused to a client with the role read', async () => {
    const { manifest, blob } = registryOf(some);
    await expect(manifest('Q4_K_M', { asker: reader })).rejects.toMatchObject({ status: 403, code: 'DENIED' });
    await expect(blob(digestOf(Buffer.from('four')), { asker: reader })).rejects.toMatchObject({ status: 403, code: 'DENIED' });
    expect((await manifest('Q8_0', { asker: reader })).layers[0].size).toBe(5);
  });

  test('has the small files of the model for a client with the role node', async () => {
    const { manifest, blob } = registryOf(some);
    expect(kinds(await manifest('Q4_K_M'))).toEqual(['model', 'template', 'system', 'params']);
    expect(await blob(digestOf(Buffer.from('four')))).toMatchObject({ kind: 'file', file: { isHeld: false } });
  });
});
