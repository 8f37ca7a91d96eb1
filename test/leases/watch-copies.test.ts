import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, test, vi } from 'vitest';
import { watchCopies } from '../../src/core/node/watch-copies.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { testConfig, testWorld } from '../helpers/world.ts';

test('changes in a staging directory that is created later are reported without polling', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const home = await temporaryDirectory();
  const root = join(home, 'staging');
  const content = { model_store: { staging: { node_cache_path: root } } };
  let changes = 0;
  const end = watchCopies({ config: testConfig(testWorld(home), { content }) }, () => {
    changes += 1;
  });
  onTestFinished(end);
  const expectChangeBy = async (work: () => Promise<unknown>): Promise<void> => {
    const before = changes;
    await work();
    // `expect.poll` would change the clock.
    await until('a change', () => changes > before);
  };
  await expectChangeBy(() => mkdir(root));
  await expectChangeBy(() => mkdir(join(root, 'org--one')));
  await expectChangeBy(() => mkdir(stagingLayout(root).leases, { recursive: true }));
});
