import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { checkHubAnswer, hubAsker } from '../helpers/hub-answers.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ask, type RawAnswer } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { isLong } from '../helpers/seeded.ts';
import { byUrl } from './requests/by-url.ts';
import { javascript } from './requests/javascript.ts';
import { llamaCpp } from './requests/llama.ts';
import { ollama } from './requests/ollama.ts';
import { python } from './requests/python.ts';
import { type Client, type Sent, sizes } from './requests/request.ts';

const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}";
const header = ggufBytes({ 'general.architecture': 'llama', 'general.size_label': '1B', 'tokenizer.chat_template': chatml });
const gguf = (size: number, seed: number): Buffer => Buffer.concat([header, noise(size - header.length, seed)]);

const models: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
  'acme/tiny-llama': {
    '.gitattributes': '*.safetensors filter=lfs\n',
    'README.md': '---\nlicense: mit\n---\n# Tiny\n',
    'config.json': '{"model_type":"llama"}',
    'empty.txt': '',
    'model.safetensors': noise(sizes.safetensors, 1),
    'sub/deep/x y+é.json': '{"x":1}',
    'tokenizer.json': '{"version":"1.0"}',
    'tokenizer_config.json': '{}',
  },
  'acme/tiny-GGUF': {
    'README.md': '# Tiny\n',
    'config.json': '{}',
    'mmproj-tiny-F16.gguf': gguf(sizes.projector, 2),
    'tiny-Q4_K_M.gguf': gguf(sizes.q4, 3),
    'tiny-Q8_0.gguf': gguf(sizes.q8, 4),
    ...Object.fromEntries([1, 2, 3].map((shard) => [`BF16/tiny-BF16-0000${shard}-of-00003.gguf`, gguf(sizes.shard, 4 + shard)])),
  },
};

/** A store host, a node with copies of its models, and one without. */
const lan = forWholeFile(async () => {
  const world = await hubWorld();
  world.hub.push('acme/gated', { files: { 'config.json': '{}' }, gated: true });
  for (const [id, files] of Object.entries(models)) {
    const directory = join(world.home, id.replace('/', '--'));
    await writeFiles(directory, files);
    expect(await world.host('add', directory, '--as', id)).toMatchObject({ status: 0 });
  }
  const host = await world.serveInProcess();
  expect(await world.nodeInProcess(host, 'n1', 'stage', 'acme/tiny-llama', 'acme/tiny-GGUF:Q4_K_M')).toMatchObject({ status: 0 });
  const [copies, empty] = await Promise.all(
    ['n1', 'n2'].map((name) =>
      serveInProcess({
        home: join(world.home, name),
        args: ['--role', 'node'],
        env: { SKULK_STORE: host.url, HF_ENDPOINT: world.hub.url },
      }),
    ),
  );
  const words: Record<string, string> = {};
  for (const id of Object.keys(models)) words[id] = ((await ask(host.url, `/api/models/${id}`)).json() as { sha: string }).sha;
  const { config, layers } = (await ask(host.url, '/v2/acme/tiny-GGUF/manifests/Q4_K_M')).json() as {
    config: Layer;
    layers: readonly (Layer & { mediaType: string })[];
  };
  const blobs = new Map<string, Layer>([['config', config]]);
  for (const layer of layers) blobs.set(layer.mediaType.split('.').at(-1) ?? '', layer);
  const urls = {
    'the file server': host.url,
    'a node with copies': copies?.apiUrl ?? '',
    'a node without copies': empty?.apiUrl ?? '',
  };
  return { urls, words, blobs };
});
const servers = ['the file server', 'a node with copies', 'a node without copies'] as const;

interface Layer {
  readonly digest: string;
  readonly size: number;
}

/** Puts in what only the store knows. */
function fill(sent: Sent, etag: string): Sent {
  const { words, blobs } = lan();
  const [, id = ''] = /(acme\/[\w-]+)/.exec(sent.line) ?? [];
  const [, blob = ''] = /blobs\/\{(\w+)\}/.exec(sent.line) ?? [];
  const { digest = '', size = 0 } = blobs.get(blob) ?? {};
  const put = (text: string): string =>
    text
      .replaceAll('{commit}', words[id] ?? '')
      .replaceAll(/\{(?:model|projector|template|params|config)\}/g, digest)
      .replaceAll('{end}', String(size - 1))
      .replaceAll('{etag}', etag);
  const headers = Object.fromEntries(Object.entries(sent.headers ?? {}).map(([name, value]) => [name, put(value)]));
  return { ...sent, line: put(sent.line), headers };
}

/** Takes the head of an answer, and closes the connection. */
const glance = (url: string, target: string, headers: Record<string, string>): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const asked = request({ host: hostname, port, path: target, headers, agent: false }, (answer) => {
      const { statusCode: status = 0, headers: came } = answer;
      answer.on('error', () => undefined).destroy();
      resolve({ status, headers: came, body: Buffer.alloc(0), json: () => undefined });
    });
    asked.on('error', reject).end();
  });

/** The file that a request names. */
function contentOf(target: string): Buffer | undefined {
  const [, id = '', path = ''] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/([^?]*)/.exec(target) ?? [];
  const content = models[id]?.[decodeURIComponent(path)];
  return content === undefined ? undefined : Buffer.from(content);
}

async function replay(url: string, client: Client, sent: Sent): Promise<RawAnswer> {
  const [method = '', target = ''] = sent.line.split(' ');
  const headers = { ...client.headers, ...sent.headers };
  const { Range: range } = headers;
  if (sent.leaves === true) {
    const answer = await glance(url, target, headers);
    checkHubAnswer({ target, method, range, isLeft: true }, answer);
    return answer;
  }
  return hubAsker(url)(target, { method, headers, ...(sent.body !== undefined && { body: sent.body }) });
}

function codeOf({ headers, json }: RawAnswer, line: string): unknown {
  if (!line.includes(' /v2/')) return headers['x-error-code'];
  return (json() as { errors: readonly { code: string }[] }).errors[0]?.code;
}

const clients = [...python, ...javascript, ...llamaCpp, ...ollama, ...byUrl];

describe.each(servers)('at %s', (server) => {
  describe.each(clients)('the requests of $name are answered', (client) => {
    test.each(isLong || server === 'the file server' ? client.calls : client.calls.slice(0, 2))('$does', async ({ sends }) => {
      let etag = '';
      for (const sent of sends.map((one) => () => fill(one, etag))) {
        const { line, status, code, leaves, headers = {} } = sent();
        const answer = await replay(lan().urls[server], client, sent());
        expect([line, answer.status]).toEqual([line, status]);
        if (code !== undefined) expect([line, codeOf(answer, line)]).toEqual([line, code]);
        etag = String(answer.headers.etag);
        const content = contentOf(line.split(' ')[1] ?? '');
        if (content === undefined || leaves === true || !line.startsWith('GET ') || status >= 300) continue;
        const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers['Range'] ?? '') ?? [];
        const expected = content.subarray(Number(first), last === '' ? undefined : Number(last) + 1);
        expect([line, answer.body.equals(expected)]).toEqual([line, true]);
      }
    });
  });
});

test('hfd.sh can search the answer as text for the file names and for the gated status', async () => {
  const text = (
    await ask(lan().urls['the file server'], '/api/models/acme/tiny-llama', { headers: { 'User-Agent': 'curl/8' } })
  ).body.toString();
  expect([...text.matchAll(/"rfilename":"[^"]*"/g)].map(([name]) => name)).toContain('"rfilename":"model.safetensors"');
  expect(text).not.toMatch(/"gated":[^f]/);
});
