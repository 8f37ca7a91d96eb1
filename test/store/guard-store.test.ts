import { rename } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { watchPresence } from '../../src/core/store/disk/store-presence.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { bringIn } from '../contract/store-contract.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';

test('a store whose disk is gone answers no question about its models, cards, places and projectors', async () => {
  const home = await temporaryDirectory();
  const root = `${home}/store`;
  const modelId = parseModelId('org/m');
  const options = { root, world: testWorld(home), nodeId: undefined, cardsPath: undefined };
  const unwatched = openDiskStore(options);
  await bringIn(unwatched, root, { 'm-Q4_K_M.gguf': 'gguf' }, { modelId });
  await unwatched.close();
  const store = openDiskStore({ ...options, presence: await watchPresence(root, { id: undefined }) });
  onTestFinished(() => store.close());
  const [entry] = await store.listModels();
  if (entry === undefined) throw new Error('there is no model');
  const questions = [
    () => store.cardOf(modelId),
    () => store.requirePlace(modelId),
    () => store.lacksProjector(entry),
    () => store.has(modelId),
    () => store.listModels(),
  ];
  for (const ask of questions) await ask();
  await rename(root, `${root}-away`);
  for (const ask of questions) await expect(ask(), String(ask)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  await rename(`${root}-away`, root);
  for (const ask of questions) await ask();
});
