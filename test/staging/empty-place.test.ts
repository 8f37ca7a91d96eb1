import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { isHeld, tryLock } from '../../src/core/kernel/process/lock.ts';
import { reconcile } from '../../src/core/operations/nodes/reconcile.ts';
import { copyLock, stagingLayout } from '../../src/core/staging/layout.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';

test('an empty work directory of a killed process is removed by the next stage or reconcile, and data, other files and a used one stay', async () => {
  const { url } = await serveModels({ 'org/m': { 'm-Q8_0.gguf': 'x'.repeat(5_000), 'config.json': '{}' } });
  const node = await stagingNode(url);
  await node.stage('org/m');
  const layout = stagingLayout(node.root);
  const place = join(layout.incoming, 'org--m');
  const leave = async (files: Readonly<Record<string, string>>): Promise<void> => {
    await mkdir(join(place, 'files/deep'), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(place, path)), { recursive: true });
      await writeFile(join(place, path), content);
    }
  };
  const cached = async (): Promise<void> => void expect(await node.stage('org/m')).toMatchObject({ source: 'cache' });
  const tidied = (): Promise<unknown> => reconcile(node.deps, { dryRun: false, receiveOrders: false });
  for (const tidy of [cached, tidied]) {
    for (const empty of [{}, { 'names.json': '["m-Q8_0.gguf"]', journal: '' }, { '.changes.json.0123456789ab.tmp': '{' }]) {
      await leave(empty);
      await tidy();
      expect(await readdir(layout.incoming)).toEqual([]);
    }
    for (const kept of [
      { 'names.json': '["m-Q8_0.gguf"]', 'files/m-Q8_0.gguf': 'x' },
      { 'files/deep/note.txt': 'mine' },
      { note: 'mine' },
      { '.note.json.0123456789ab.tmp': 'mine' },
    ]) {
      await leave(kept);
      await tidy();
      expect(await readdir(place, { recursive: true })).toEqual(expect.arrayContaining(Object.keys(kept)));
      await rm(place, { recursive: true });
    }
    await leave({});
    const lock = await tryLock(copyLock(layout, parseModelId('org/m')), 'staging');
    if (!isHeld(lock)) throw new Error('nobody else holds it');
    await tidy();
    expect(await readdir(layout.incoming)).toEqual(['org--m']);
    await lock.release();
    await tidy();
    expect(await readdir(layout.incoming)).toEqual([]);
  }
});
