import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const large = Buffer.concat([ggufBytes({ 'general.architecture': 'llama' }), noise(40 * 1024 ** 2, 5)]);
const small = { 'config.json': '{}', 'm.gguf': Buffer.concat([ggufBytes({ 'general.architecture': 'llama' }), noise(300_000, 2)]) };

/** A reverse proxy in front of a store that drops Range headers. @returns its URL, and the requested paths */
async function proxyBefore(store: string): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { range: _, 'if-range': __, ...headers } = request.headers;
    const onward = sendRequest(`${store}${request.url}`, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      response.once('close', () => answer.destroy());
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

test('a proxy that does not forward ranges allows small files, and for a large one the reason is reported after few requests', async () => {
  const home = await temporaryDirectory();
  const host = { SKULK_HOME: join(home, 'host') };
  for (const [id, files] of Object.entries({ 'org/small': small, 'org/large': { 'm.gguf': large } })) {
    await writeFiles(join(home, id), files);
    expect((await runInProcess(['add', join(home, id), '--as', id], { env: host })).status).toBe(0);
  }
  const served = await serveInProcess({ home: host.SKULK_HOME });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const proxy = await proxyBefore(served.url);
  // Another machine: it cannot read the lock of the store.
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url };
  const staged = await runInProcess(['stage', 'org/small'], { env });
  expect(staged.status, staged.stderr).toBe(0);
  expect(await digestsBelow(staged.stdout.trim())).toEqual(await digestsBelow(join(home, 'org/small')));

  const refused = await runInProcess(['stage', 'org/large'], { env });
  expect(refused).toMatchObject({ status: 6, stdout: '' });
  expect(refused.stderr).toContain('it sent the whole file instead of the requested part');
  expect(refused.stderr).toContain('a proxy');
  // Three tries of a piece on each of four connections.
  expect(proxy.asked.filter((path) => path.endsWith('/m.gguf') && path.includes('large')).length).toBeLessThanOrEqual(12);
});
