import { expect, onTestFinished, test } from 'vitest';
import { createAccess } from '../../src/core/server/access/access.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import type { CancelOptions, HostUploads } from '../../src/core/store/upload-contract.ts';
import { directoryStore } from '../helpers/directory-store.ts';

test('only an admin cancels the upload of another sender', async () => {
  const store = await directoryStore({});
  onTestFinished(() => store[Symbol.asyncDispose]());
  const asked: (CancelOptions | undefined)[] = [];
  const uploads = {
    cancel: async (_id: string, options?: CancelOptions) => {
      asked.push(options);
      throw new Error('this is enough');
    },
  } as unknown as HostUploads;
  const access = createAccess({
    adminKey: 'the key of the machine',
    findToken: async (name) => (name === 'node' || name === 'admin' ? { role: name, name } : undefined),
  });
  const app = await createStoreApp({ store, uploads, access, version: '1', logLevel: 'silent' });
  onTestFinished(() => app.close());
  for (const bearer of [undefined, 'node', 'admin', 'the key of the machine'])
    await app.inject({
      method: 'DELETE',
      url: '/uploads/abc?of=def',
      headers: { host: 'localhost', ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
    });
  expect(asked).toEqual([false, false, true, true].map((mayCancelOthers) => ({ mayCancelOthers, of: 'def' })));
});
