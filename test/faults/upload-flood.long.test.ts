import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { digestsBelow, noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runSkulk, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** Sends a request from its own address; gives the status, or 0 when the connection broke. */
function put(url: string, path: string, { from, body, type }: { from: string; body: Uint8Array; type: string }): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const headers = { 'Content-Type': type, 'Content-Length': body.length };
    const sent = request({ hostname, port, path, method: 'PUT', localAddress: from, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('error', () => {});
      answer.on('close', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

const content = noise(1000, 7);
const attackers = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6'];
const json = 'application/json';
const octets = 'application/octet-stream';

test('a flood of announcements and pieces does not stop a small server, and a model can be added meanwhile', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  await writeFiles(source, { 'a.bin': noise(3_000_000, 1), 'config.json': '{}' });
  const served = await startServe({ home: join(home, 'host'), env: { NODE_OPTIONS: '--max-old-space-size=256' }, openFiles: 300 });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const places = (): Promise<readonly string[]> => readdir(join(served.storePath, '.skulk/v1/uploads'));

  // 50,000 files in 8 MB, under many names.
  const files = Array.from({ length: 50_000 }, (_, index) => ({ path: `d/f-${index}.bin`, size: content.length, sha256: sha256(content) }));
  const large = makeManifest('org/flood-0000' as ModelId, files as never, { source: 'add', createdAt: new Date() });
  const text = JSON.stringify(large);
  const statuses: number[] = [];
  let isOver = false;
  const attack = async (from: string, attacker: number): Promise<void> => {
    for (let round = 0; round < 5 && !isOver; round += 1) {
      const model = `org/flood-${String(attacker * 100 + round).padStart(4, '0')}`;
      const body = Buffer.from(text.replace('org/flood-0000', model));
      // Twice at the same time: the second one continues the first one.
      const both = [put(served.url, `/uploads/${encodeURIComponent(model)}`, { from, body, type: json })];
      both.push(put(served.url, `/uploads/${encodeURIComponent(model)}`, { from, body, type: json }));
      statuses.push(...(await Promise.all(both)));
      const pieces = Array.from({ length: 40 }, (_, number) =>
        put(served.url, `/uploads/${encodeURIComponent(model)}/${large.digest}/${number}/0`, {
          from,
          body: number % 3 === 0 ? noise(1000, number + 100) : content,
          type: octets,
        }),
      );
      statuses.push(...(await Promise.all(pieces)));
    }
  };
  const flood = Promise.all(attackers.map(attack));
  const add = runSkulk(['add', source, '--as', 'org/honest', '--json'], {
    env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url },
  });
  const health = async (): Promise<void> => {
    while (!isOver) expect((await ask(served.url, '/health')).status).toBe(200);
  };
  const watching = health();
  const added = await add;
  await flood;
  isOver = true;
  await watching;
  expect(added.status, added.stderr).toBe(0);
  expect(await digestsBelow(join(served.storePath, 'org--honest'))).toEqual(await digestsBelow(source));
  // Some requests succeeded, and the others got no server error: 503 asks for a retry, 500 means a wrong piece.
  expect(statuses).toContain(200);
  expect(statuses).toContain(204);
  expect(served.running.stderr()).not.toMatch(/unexpected error|heap/i);

  const env = { SKULK_HOME: join(home, 'host') };
  const { uploads } = JSON.parse((await runSkulk(['uploads', '--json'], { env })).stdout) as {
    uploads: readonly { id: string; from: string }[];
  };
  expect(uploads.length).toBeGreaterThan(0);
  expect(uploads.length).toBe((await places()).length);
  for (const { from } of uploads) expect(attackers).toContain(from);
  const [first] = uploads;
  const listed = await runSkulk(['uploads'], { env });
  expect(listed.stdout).toContain(first?.id);
  const cancelled = await runSkulk(['uploads', '--cancel', first?.id ?? ''], { env });
  expect([cancelled.status, cancelled.stdout], cancelled.stderr).toEqual([
    0,
    expect.stringContaining('cancelled the upload of org/flood-'),
  ]);
  expect(await places()).toHaveLength(uploads.length - 1);
  expect((await runSkulk(['uploads', '--cancel', 'nobody'], { env })).status).toBe(3);
  const rest = (await ask(served.apiUrl, '/store/uploads')).json() as { uploads: readonly { id: string }[] };
  expect(rest.uploads).toHaveLength(uploads.length - 1);

  // Without a server the data on the disk is listed as well.
  await served.stop();
  const later = await runSkulk(['uploads', '--json'], { env });
  expect(JSON.parse(later.stdout).uploads).toHaveLength(uploads.length - 1);
  const last = await runSkulk(['uploads', '--cancel', rest.uploads[0]?.id ?? ''], { env });
  expect(last.status, last.stderr).toBe(0);
  expect(await places()).toHaveLength(uploads.length - 2);
});
