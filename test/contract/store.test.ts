import { onTestFinished } from 'vitest';
import { createStoreClient } from '../../src/core/client/store-client.ts';
import { isHeld, tryLock } from '../../src/core/kernel/process/lock.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';
import { describeStore } from './store-contract.ts';

describeStore(
  'a store on this disk',
  async (root) => {
    const store = openDiskStore({ root, world: testWorld(root), nodeId: 'node-1', cardsPath: undefined });
    onTestFinished(() => store.close());
    return store;
  },
  temporaryDirectory,
);

describeStore(
  'a store behind HTTP',
  async (root) => {
    const token = 'the-key-of-this-machine';
    const held = await tryLock(storeLayout(root).lock, 'a test');
    if (!isHeld(held)) throw new Error('the lock is taken');
    const store = openDiskStore({ root, world: testWorld(root), nodeId: 'node-1', cardsPath: undefined, held });
    // Only an admin can adopt a directory at the path of a model.
    const app = await createStoreApp({
      store,
      access: createAccess({ adminKey: token }),
      version: '0.0.0-test',
      stream: { write: () => {} },
    });
    const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
    const client = createStoreClient({ url, token, signal: new AbortController().signal, userAgent: 'test' });
    onTestFinished(async () => {
      client.close();
      await stopApp(app, { graceMs: 100 });
      await store.close();
    });
    return client;
  },
  temporaryDirectory,
);
