import { describe, expect, test } from 'vitest';
import type { HubAsker, HubBackend, HubFile, HubRepo } from '../../src/core/endpoint/contract.ts';
import { createHostRegistry } from '../../src/core/endpoint/registry/host-registry.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { readHeaderOfBytes } from '../../src/core/store/facts/read-gguf-facts.ts';
import { ggufBytes } from '../helpers/gguf-bytes.ts';

const MiB = 1024 * 1024;
const template = "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}";

/** The head of a file that is far larger. @param texts the number of texts of 1.5 MB in it, which take no time to read */
const headOf = (texts: number): Buffer =>
  ggufBytes({
    'general.architecture': 'qwen3',
    'general.size_label': '8B',
    ...Object.fromEntries(Array.from({ length: texts }, (_, index) => [`general.text.${index}`, 'x'.repeat(1_500_000)])),
    'tokenizer.chat_template': template,
  });

/** A registry of a model that the store does not have, and the requests to upstream. */
function coldRegistry(head: Buffer) {
  const file: HubFile = {
    path: 'm-Q4_K_M.gguf' as RelativePath,
    size: 5_000 * MiB,
    oid: '0'.repeat(40),
    lfs: { sha256: 'a'.repeat(64) as Sha256, pointerSize: 130 },
    isHeld: false,
  };
  const repo: HubRepo = {
    id: parseModelId('acme/m-GGUF'),
    commit: 'c'.repeat(40),
    files: [file],
    byPath: new Map([[file.path, file]]),
    isComplete: true,
    lastModified: '2026-01-01T00:00:00.000Z',
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  const fetched: string[] = [];
  const hub: Pick<HubBackend, 'repo' | 'open'> = {
    repo: async () => repo,
    open: async (_, { path }, { range: { start, end } }) => {
      fetched.push(`${path} ${start / MiB}-${end / MiB}`);
      return {
        kind: 'stream',
        bytes: (async function* () {
          yield head.subarray(start, end);
          yield Buffer.alloc(Math.max(0, end - Math.max(start, head.length)));
        })(),
      };
    },
  };
  const registry = createHostRegistry({
    store: {
      ggufHeader: async () => {
        throw new Error('the store has no such file');
      },
      cardOf: async () => undefined,
    },
    hub: hub as HubBackend,
    readHeader: readHeaderOfBytes,
  });
  const { signal } = new AbortController();
  const pull = async (asker: HubAsker) => {
    const options = { asker, signal, isForLlama: false };
    const { bytes } = await registry.manifest({ id: repo.id, tag: 'Q4_K_M' }, options);
    const { config, layers } = JSON.parse(bytes.toString()) as {
      config: { digest: string };
      layers: { mediaType: string; digest: string }[];
    };
    const blob = await registry.blob({ id: repo.id, digest: config.digest }, options);
    return {
      layers: layers.map(({ mediaType }) => mediaType.split('.').at(-1)),
      config: blob.kind === 'made' ? JSON.parse(blob.bytes.toString()) : {},
    };
  };
  return { pull, fetched };
}

describe('the registry manifest of a quantization that the store does not have', () => {
  test.each([
    ['the first 16 MiB of the file', 1, ['m-Q4_K_M.gguf 0-16']],
    ['48 MiB for a very long head', 12, ['m-Q4_K_M.gguf 0-16', 'm-Q4_K_M.gguf 0-48']],
  ])('is created from %s', async (_, texts, ranges) => {
    const { pull, fetched } = coldRegistry(headOf(texts));
    const found = await pull({ mayFetch: true });
    expect(found.layers).toEqual(['model', 'template', 'params']);
    expect(found.config).toMatchObject({ model_family: 'qwen3', model_type: '8B', file_type: 'Q4_K_M' });
    expect(fetched).toEqual(ranges);
    // The next manifest needs no bytes.
    await pull({ mayFetch: true });
    expect(fetched).toEqual(ranges);
  });

  test('has fewer layers if the file is not GGUF, and a client with the role read causes no request', async () => {
    const { pull, fetched } = coldRegistry(Buffer.from('no GGUF'));
    await expect(pull({ mayFetch: false })).rejects.toMatchObject({ status: 403, code: 'DENIED' });
    expect(fetched).toEqual([]);
    expect(await pull({ mayFetch: true })).toMatchObject({ layers: ['model'], config: { model_family: 'unknown' } });
  });
});
