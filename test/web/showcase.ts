import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { parseRelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { directoryName, parseModelId } from '../../src/core/kernel/model-id.ts';
import { isSha256, type Sha256 } from '../../src/core/kernel/sha256.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { createModelRecords } from '../../src/core/store/records/model-records.ts';
import { listenTo } from '../helpers/event-source.ts';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { type Served, startServe } from '../helpers/spawn-skulk.ts';

const gib = 1024 ** 3;
const day = 86_400_000;

interface ShownModel {
  readonly id: string;
  readonly daysAgo: number;
  readonly files: Readonly<Record<string, number | string>>;
  readonly card?: string;
  /** Files of its repo that the store does not have, with their sizes in bytes. */
  readonly alsoInRepo?: Readonly<Record<string, number>>;
}

const thinking = '{% if enable_thinking %}<think>{% endif %}';
const shards = (count: number, size: number): Record<string, number> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `model-${String(index + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`,
      size,
    ]),
  );

/** Typical models; large files are sparse, so that they use no space. */
const models: readonly ShownModel[] = [
  {
    id: 'mlx-community/Qwen3-30B-A3B-4bit',
    daysAgo: 2,
    files: {
      'config.json': '{"model_type":"qwen3_moe","quantization":{"bits":4}}',
      'chat_template.jinja': thinking,
      ...shards(4, 4.2 * gib),
    },
    card: 'supports_tensor = true\n',
  },
  {
    id: 'mlx-community/Qwen3-4B-4bit',
    daysAgo: 9,
    files: {
      'config.json': '{"model_type":"qwen3","quantization":{"bits":4}}',
      'chat_template.jinja': thinking,
      'model.safetensors': 2.1 * gib,
    },
  },
  {
    id: 'bartowski/gemma-3-12b-it-GGUF',
    daysAgo: 21,
    files: {
      'gemma-3-12b-it-Q8_0.gguf': 11.6 * gib,
      'gemma-3-12b-it-Q6_K.gguf': 8.99 * gib,
      'gemma-3-12b-it-Q4_K_M.gguf': 6.8 * gib,
      'mmproj-gemma-3-12b-it-f16.gguf': 0.8 * gib,
    },
    alsoInRepo: Object.fromEntries(
      Object.entries({
        BF16: 21.9,
        Q5_K_M: 7.86,
        Q5_K_S: 7.66,
        Q4_K_S: 6.46,
        IQ4_XS: 6.11,
        Q3_K_L: 6.04,
        Q3_K_M: 5.6,
        IQ3_M: 5.27,
        Q2_K: 4.44,
      }).map(([label, size]) => [`gemma-3-12b-it-${label}.gguf`, size * gib]),
    ),
  },
  {
    id: 'mlx-community/Llama-3.3-70B-Instruct-OptiQ',
    daysAgo: 40,
    files: { 'config.json': '{"model_type":"llama"}', ...shards(8, 4.9 * gib) },
    card: 'supports_tensor = true\n',
  },
  {
    id: 'nomic-ai/nomic-embed-text-v1.5-GGUF',
    daysAgo: 64,
    files: { 'nomic-embed-text-v1.5.f16.gguf': 0.26 * gib },
    card: 'capabilities = ["embedding"]\n',
  },
  {
    id: 'sentence-transformers/all-MiniLM-L6-v2',
    daysAgo: 64,
    files: { 'config.json': '{"architectures":["BertModel"]}', '1_Pooling/config.json': '{}', 'model.safetensors': 0.085 * gib },
  },
];

/** The text in a picture instead of the paths and addresses of a test. */
export interface Scenery {
  readonly home: string;
  readonly storePath: string;
  /** Arguments with the address of the server. */
  readonly listen: readonly string[];
}

/** Starts a server with these addresses, or on free ports. */
export async function serveIn(world: HubWorld, scenery?: Scenery): Promise<Served> {
  const home = scenery?.home ?? join(world.home, 'host');
  const env = {
    SKULK_NODE_ID: 'mac-studio-1',
    HF_ENDPOINT: world.hub.url,
    HF_HOME: join(world.home, 'hf'),
    XDG_CONFIG_HOME: join(home, 'config'),
  };
  const host = await startServe({ home, env, ...(scenery !== undefined && { listen: scenery.listen }) });
  onTestFinished(() => host[Symbol.asyncDispose]());
  return host;
}

/** A store with models, and a LAN of nodes. */
export async function showcase(scenery?: Scenery): Promise<{ readonly world: HubWorld; readonly host: Served }> {
  const world = await hubWorld();
  const storePath = scenery?.storePath ?? world.storePath;
  const config = join(scenery?.home ?? join(world.home, 'host'), 'config/skulk');
  await mkdir(config, { recursive: true });
  await writeFile(join(config, 'skulk.yaml'), `model_store:\n  store_host: ${hostname()}\n  store_path: ${storePath}\n`);
  await mkdir(storePath, { recursive: true });
  await writeStore(storePath);
  world.hub.push('unsloth/Qwen3-8B-GGUF', {
    files: Object.fromEntries(
      [
        ['Q3_K_M', 4.12],
        ['Q4_K_M', 5.03],
        ['UD-Q4_K_XL', 5.14],
        ['Q5_K_M', 5.85],
        ['Q6_K', 6.73],
        ['Q8_0', 8.71],
        ['BF16', 16.4],
      ].map(([label, size]) => [`Qwen3-8B-${label}.gguf`, zeros(Number(size) * 1e9)]),
    ),
  });
  world.hub.push('mlx-community/gemma-3-4b-it-4bit', {
    files: { 'config.json': '{"model_type":"gemma3"}', 'model.safetensors': zeros(3.4e9) },
  });
  const host = await serveIn(world, scenery);
  await reportNodes(host);
  return { world, host };
}

/** Bytes that no client fetches to the end. */
const zeros = (size: number) => ({
  size: Math.round(size),
  read: (from: number, to: number) => Buffer.alloc(to - from),
  sha256: fake('zeros'),
});

const fake = (text: string): Sha256 => {
  const digest = createHash('sha256').update(text).digest('hex');
  if (!isSha256(digest)) throw new Error('no digest');
  return digest;
};

async function writeStore(root: string): Promise<void> {
  const records = createModelRecords(storeLayout(root));
  const registry: Record<string, object> = {};
  for (const { id, daysAgo, files, card, alsoInRepo } of models) {
    const modelId = parseModelId(id);
    const directory = join(root, directoryName(modelId));
    const sizes: [string, number][] = [];
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(directory, path, '..'), { recursive: true });
      const size = typeof content === 'string' ? content.length : Math.round(content);
      if (typeof content === 'string') await writeFile(join(directory, path), content);
      else {
        await using file = await open(join(directory, path), 'w');
        await file.truncate(size);
      }
      sizes.push([path, size]);
    }
    const manifest = makeManifest(
      modelId,
      sizes.map(([path, size]) => ({
        path: parseRelativePath(path),
        size,
        sha256: fake(`${id} ${path}`),
        ...(size > chunkSize && { chunks: Array.from({ length: Math.ceil(size / chunkSize) }, (_, index) => fake(`${path} ${index}`)) }),
      })),
      {
        source: 'hub',
        revision: 'main',
        commit: createHash('sha1').update(id).digest('hex'),
        createdAt: new Date(Date.now() - daysAgo * day),
      },
    );
    const listed = [...sizes, ...Object.entries(alsoInRepo ?? {})].map(([path, size]) => ({
      path: parseRelativePath(path),
      size: Math.round(size),
      oid: createHash('sha1').update(path).digest('hex'),
    }));
    const upstream = alsoInRepo === undefined ? undefined : { repo: modelId, commit: manifest.commit ?? '', files: listed };
    await records.write(manifest, { seen: {}, upstream });
    if (card !== undefined)
      await writeFile(join(storeLayout(root).manifests, `${directoryName(modelId)}.toml`), `model_id = "${id}"\n${card}`);
    registry[id] = {
      model_id: id,
      store_path: directoryName(modelId),
      files: sizes.map(([path]) => path),
      downloaded_at: new Date(Date.now() - daysAgo * day).toISOString(),
      total_bytes: sizes.reduce((sum, [, size]) => sum + size, 0),
      repo_has_projector: null,
    };
  }
  await writeFile(join(root, 'registry.json'), JSON.stringify(registry));
}

/** Machines that report like those of a LAN; those with an agent keep a stream of orders open. */
async function reportNodes(host: Served): Promise<void> {
  const hours = (count: number): string => new Date(Date.now() - count * 3_600_000).toISOString();
  const copy = (model: number, ago: number, more: object = {}) => {
    const { id = '', files = {} } = models[model] ?? {};
    const size = Object.values(files).reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : Math.round(one)), 0);
    return { model_id: id, size_bytes: size, last_used: hours(ago), in_use: false, over_budget: false, ...more };
  };
  const part = (selector: string, size: number, ago: number) => ({
    selector,
    size_bytes: Math.round(size * gib),
    last_used: hours(ago),
    in_use: false,
    over_budget: false,
  });
  const nodes = [
    {
      id: 'gpu-box-1',
      agent: true,
      free: 610,
      budget: 40,
      copies: [
        copy(0, 0.1, { in_use: true }),
        copy(2, 5, { size_bytes: Math.round(6.8 * gib), quantizations: [part('Q4_K_M', 6.8, 5)] }),
        copy(1, 30),
      ],
    },
    {
      id: 'gpu-box-2',
      agent: true,
      free: 88,
      budget: 20,
      copies: [
        copy(3, 2, { over_budget: true }),
        copy(2, 26, { size_bytes: Math.round(8.99 * gib), quantizations: [{ ...part('Q6_K', 8.99, 26), digest: fake('before') }] }),
        copy(4, 50),
      ],
    },
    { id: 'laptop', agent: false, free: 41, budget: 40, copies: [copy(1, 70)] },
  ];
  for (const { id, agent, free, budget, copies } of nodes) {
    const body = {
      hostname: id,
      version: '0.1.0',
      agent,
      staged_models: copies.length,
      staged_bytes: copies.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
      free_bytes: free * gib,
      copies,
      budget_bytes: budget * gib,
      knows: ['quantizations', 'stages'],
    };
    await ask(host.url, `/nodes/${id}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (agent) await listenTo(`${host.url}/nodes/${id}/orders`);
  }
}
