import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { type DownloadTools, downloadModel } from '../../src/core/sources/download-model.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** A download without enough space until so many leftovers are removed, which then ends with its own failure. */
async function downloadAfter(leftovers: number, failure: SkulkError) {
  const directory = await temporaryDirectory();
  let [removed, tries] = [0, 0];
  const tools = {
    store: { requirePlace: async () => {} },
    source: {
      list: async () => {
        tries += 1;
        throw removed < leftovers ? new SkulkError('NO_SPACE', 'no room') : failure;
      },
    },
    place: { path: join(directory, 'org--m'), lock: join(directory, 'org--m', 'lock') },
    makeRoom: async () => {
      if (removed === leftovers) return false;
      removed += 1;
      return true;
    },
    signal: new AbortController().signal,
    onWait: () => {},
    report: () => {},
  } as unknown as DownloadTools;
  const error: unknown = await downloadModel({ modelId: parseModelId('org/m') }, tools).catch((reason: unknown) => reason);
  return { error, removed, tries };
}

test('a download removes as many leftovers as necessary, and then ends as without them', async () => {
  const failure = new SkulkError('HUB_UNREACHABLE', 'nobody answers');
  expect(await downloadAfter(45, failure)).toEqual({ error: failure, removed: 45, tries: 46 });
});

test('a download without enough disk space and without leftovers reports the missing space', async () => {
  const failure = new SkulkError('NO_SPACE', 'still no room');
  expect(await downloadAfter(45, failure)).toEqual({ error: failure, removed: 45, tries: 46 });
});
