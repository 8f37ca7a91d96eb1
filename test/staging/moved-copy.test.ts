import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { inspectPlace } from '../../src/core/staging/own-copy.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { rounds } from '../helpers/seeded.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a copy that another process moves away while it is looked at is never taken for a directory of a user', async () => {
  const { url } = await serveModels({ 'org/m': { 'a.gguf': 'the model' } });
  const home = await temporaryDirectory();
  expect((await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: url } })).status).toBe(0);
  const copy = join(home, 'staging/org--m');
  const away = join(home, 'away');
  await mkdir(away);
  const seen = new Set<string>();
  for (let round = 0; round < rounds({ few: 200, many: 1000 }); round += 1) {
    const looking = inspectPlace(copy, parseModelId('org/m'));
    // At another step of the look in each round.
    for (let turn = 0; turn < round % 6; turn += 1) await setImmediate();
    await rename(copy, join(away, 'copy'));
    seen.add((await looking).is);
    await rename(join(away, 'copy'), copy);
  }
  expect(seen).not.toContain('foreign');
});
