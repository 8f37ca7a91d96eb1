import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { ollamaPull } from '../helpers/ollama-pull.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess } from '../helpers/run-in-process.ts';

const chatml = "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}";
const gguf = (seed: number): Buffer =>
  Buffer.concat([ggufBytes({ 'general.architecture': 'qwen3', 'tokenizer.chat_template': chatml }), noise(18_000_000, seed)]);
const files = { 'README.md': '# cold', 'cold-Q4_K_M.gguf': gguf(1), 'cold-Q8_0.gguf': gguf(2) };
const model = 'org/cold-GGUF';

test('Ollama pulls a quantization that the store does not have, and the next pull needs no Hub', async () => {
  const { hub, serveInProcess } = await hubWorld();
  hub.push(model, { files });
  const host = await serveInProcess();
  const first = await ollamaPull(host.url, { model, tag: 'q4_k_m' }, { partBytes: 2_000_000 });
  const digest = `sha256:${sha256(files['cold-Q4_K_M.gguf'])}`;
  expect(first.blobs.get(digest)?.equals(files['cold-Q4_K_M.gguf'])).toBe(true);
  expect(first.manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual(['model', 'template', 'params']);
  const status = async (): Promise<string> =>
    ((await ask(host.url, `/models/${encodeURIComponent(model)}/download/status`)).json() as { status: string }).status;
  await expect.poll(status).toBe('complete');
  // The other quantization was not requested.
  expect(hub.sent('cold-Q8_0.gguf')).toBe(0);
  const sent = hub.sent('cold-Q4_K_M.gguf');
  const second = await ollamaPull(host.url, { model, tag: 'Q4_K_M' }, { partBytes: 2_000_000 });
  expect(second.manifest).toEqual(first.manifest);
  expect(hub.sent('cold-Q4_K_M.gguf')).toBe(sent);
});

test('a client with the role read can pull models of the store, and nothing is fetched for it', async () => {
  const { hub, home, host: command, serveInProcess } = await hubWorld();
  hub.push(model, { files });
  expect(await command('download', `${model}:Q8_0`)).toMatchObject({ status: 0 });
  const host = await serveInProcess();
  const env = { SKULK_HOME: join(home, 'host') };
  expect((await runInProcess(['policy', 'set', 'lan', 'read'], { env })).status).toBe(0);
  await expect.poll(async () => ((await ask(host.url, '/session')).json() as { lan?: string }).lan).toBe('read');
  const before = hub.sent('cold-Q4_K_M.gguf');
  await expect(ollamaPull(host.url, { model, tag: 'Q4_K_M' })).rejects.toThrow(/^403: .*DENIED/);
  await expect(ollamaPull(host.url, { model: 'org/other', tag: 'latest' })).rejects.toThrow('file does not exist');
  expect((await ollamaPull(host.url, { model, tag: 'latest' })).blobs.get(`sha256:${sha256(files['cold-Q8_0.gguf'])}`)).toEqual(
    files['cold-Q8_0.gguf'],
  );
  expect(hub.sent('cold-Q4_K_M.gguf')).toBe(before);
});
