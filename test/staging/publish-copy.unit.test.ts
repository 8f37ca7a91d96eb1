import { link, mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { incomingCopy, stagingLayout } from '../../src/core/staging/layout.ts';
import { type PublishTools, publishCopy } from '../../src/core/staging/publish-copy.ts';
import { sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('two files of a model that turn out to be one file on this disk are not published', async () => {
  const layout = stagingLayout(await temporaryDirectory());
  const modelId = parseModelId('org/m');
  const incoming = incomingCopy(layout, modelId);
  await mkdir(incoming.files, { recursive: true });
  await writeFile(`${incoming.files}/a.gguf`, 'one');
  // Like a disk that takes "A.gguf" for the same name.
  await link(`${incoming.files}/a.gguf`, `${incoming.files}/A.gguf`);
  const files = [
    { path: 'a.gguf', size: 3, sha256: sha256('one') },
    { path: 'A.gguf', size: 3, sha256: sha256('two') },
  ];
  const tools = { layout, now: () => new Date(), signal: new AbortController().signal, lock: { assertHeld: async () => {} }, grows: false };
  const published = publishCopy({ model_id: modelId, files } as unknown as Manifest, incoming, tools as unknown as PublishTools);
  await expect(published).rejects.toMatchObject({ code: 'INTEGRITY', message: expect.stringContaining('ignores case') });
  expect(await readdir(layout.root)).toEqual(['.skulk']);
});
