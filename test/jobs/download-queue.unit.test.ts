import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDownloadQueue } from '../../src/core/jobs/download-queue.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { testWorld } from '../helpers/world.ts';

const modelId = parseModelId('org/m');

/** Downloads of three quantizations of one model, of which the first one runs until it is cancelled. */
async function threeDownloads() {
  const root = await temporaryDirectory();
  const begun: (string | undefined)[] = [];
  const queue = createDownloadQueue({
    directory: join(root, 'jobs'),
    maxRunning: 2,
    world: testWorld(root),
    findResult: async () => undefined,
    requireOurs: async () => {},
    fetch: ({ selector }, signal) => {
      begun.push(selector);
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => ended.reject(signal.reason as Error), { once: true });
      return ended.promise;
    },
  });
  onTestFinished(() => queue.close());
  const [first, second, third] = [
    await queue.ask({ modelId, selector: 'Q8_0' }),
    await queue.ask({ modelId, selector: 'Q4_K_M' }),
    await queue.ask({ modelId, selector: 'Q5_K_M' }),
  ];
  await until('the first download', () => begun.length === 1);
  const open = async () => (await queue.list()).map(({ download_id }) => download_id);
  return { queue, begun, first, second, third, open };
}

test('a cancel of a model also ends its downloads that wait', async () => {
  const { queue, begun, open } = await threeDownloads();
  await queue.cancel({ modelId });
  expect(await open()).toEqual([]);
  expect(begun).toEqual(['Q8_0']);
});

test('a cancel of one download leaves the others of the model', async () => {
  const { queue, first, second, third, open } = await threeDownloads();
  await queue.cancel({ modelId, downloadId: second.download_id });
  expect(await open()).toEqual([first.download_id, third.download_id]);
});
