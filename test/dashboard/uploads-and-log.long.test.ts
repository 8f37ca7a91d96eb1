import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

const [first, second] = [noise(1024 * 1024, 1), noise(1024 * 1024, 2)];

/** Announces a model of two files like another machine, and sends the first one. */
async function beginUpload(url: string, modelId: string): Promise<void> {
  const files = [first, second].map((bytes, index) => ({ path: `f${index}`, size: bytes.length, sha256: sha256(bytes) }));
  const manifest = makeManifest(modelId as ModelId, files as never, { source: 'add', createdAt: new Date() });
  const path = `/uploads/${encodeURIComponent(modelId)}`;
  const json = { 'Content-Type': 'application/json' };
  expect((await ask(url, path, { method: 'PUT', body: JSON.stringify(manifest), headers: json })).status).toBe(200);
  const bytes = { 'Content-Type': 'application/octet-stream' };
  expect((await ask(url, `${path}/${manifest.digest}/0/0`, { method: 'PUT', body: first, headers: bytes })).status).toBe(204);
}

test('the dashboard shows and cancels unfinished uploads, and shows who changed what, in windows of any size', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  await beginUpload(host.url, 'org/arriving');
  expect((await ask(host.url, '/models/org%2Fnone', { method: 'DELETE' })).status).toBe(404);
  const terminal = await openTerminal({ columns: 60, rows: 12, env: { SKULK_HOME: join(world.home, 'host'), SKULK_NODE_ID: 'host' } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/one/m, /^ {2}1 Store.* {2}6 Up {2}7 Log *$/m);
  await terminal.press('6');
  const narrow = await terminal.sees(/^› org\/arriving .* 50%/m);
  expect(narrow).toContain('c cancel');
  await terminal.resize(140, 40);
  await terminal.sees('1.00 MiB of 2.00 MiB', /6 Uploads {2}7 Log/);
  await terminal.resize(80, 24);
  await terminal.press('c');
  await terminal.sees('Cancel the upload of org/arriving?');
  await terminal.press('Escape');
  await terminal.losesSight('Cancel the upload');
  // A key that comes before the question is drawn does not answer it.
  await terminal.press('c');
  await terminal.sees('Cancel the upload of org/arriving?');
  await terminal.press('y');
  await terminal.sees('the upload of org/arriving was cancelled, 1.00 MiB freed');
  await terminal.sees('No machine has an unfinished upload.');

  await terminal.press('7');
  const log = await terminal.sees(/cancel-upload/);
  expect(log).toMatch(/^.* anna on the store host +add +org\/one +done/m);
  expect(log).toMatch(/delete +org\/none +no such model/);
  await terminal.press('/');
  await terminal.type('failed');
  await terminal.losesSight('org/one');
  await terminal.press('Escape');
  await terminal.sees(/add +org\/one +done/);
  await terminal.press('End');
  await terminal.sees(/^› .* add +org\/one/m);
  await terminal.press('Enter');
  await terminal.sees(/^ {2}org\/one\b/m);
  await terminal.press('Escape');
  await terminal.sees(/^› .* add +org\/one/m);
  await terminal.press('Home');
  await terminal.sees(/^› .* cancel-upload/m);
  await terminal.press('j');
  await terminal.sees(/^› .* delete +org\/none/m);
  await terminal.press('Enter');
  await terminal.sees('org/none is not in the store');
  await terminal.resize(60, 12);
  await terminal.sees(/delete +org\/none +no such model/);
  await terminal.press('q');
  await terminal.prompt();

  // Without a server the disk is read.
  await host.stop();
  await terminal.resize(80, 24);
  await terminal.enterAnew('skulk dashboard');
  await terminal.sees(/^› org\/one/m);
  await terminal.press('6');
  await terminal.sees('No machine has an unfinished upload.');
  await terminal.press('7');
  await terminal.sees(/add +org\/one +done/);
  await terminal.press('q');
  await terminal.prompt();
});
