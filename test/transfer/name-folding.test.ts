import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFolded, requireDistinctNames } from '../../src/core/transfer/name-folding.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const sees = { ignoresCase: false, ignoresForm: false };
const none = { ignoresCase: true, ignoresForm: true };

test('two names are in conflict only on a disk that treats them as equal', async () => {
  expect(await findFolded(['Config.json', 'config.json'], sees)).toBeUndefined();
  expect(await findFolded(['Config.json', 'config.json'], none)).toEqual(['Config.json', 'config.json']);
  expect(await findFolded(['caf\u00e9', 'cafe\u0301'], { ...sees, ignoresCase: true })).toBeUndefined();
  expect(await findFolded(['caf\u00e9', 'cafe\u0301'], { ...sees, ignoresForm: true })).toEqual(['caf\u00e9', 'cafe\u0301']);
  expect(await findFolded(['a/\u00c9', 'A/e\u0301'], none)).toEqual(['a/\u00c9', 'A/e\u0301']);
  expect(await findFolded(['a/x', 'A/y'], none)).toBeUndefined();
  expect(await findFolded(['Sub', 'sub/x'], none)).toEqual(['Sub', 'sub/x']);
});

test('the refusal contains both names, and a disk is tested only in doubtful cases', async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, '.skulk/v1'), { recursive: true });
  const paths = ['Config.json', 'config.json'];
  await expect(requireDistinctNames(root, { paths, of: 'org/m' }, async () => none)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/"Config.json" and "config.json"/),
  });
  const never = (): never => {
    throw new Error('asked');
  };
  await requireDistinctNames(root, { paths: ['a', 'b'], of: 'org/m' }, never);
  await requireDistinctNames(root, { paths, of: 'org/m' });
  expect(await readdir(join(root, '.skulk/v1'))).toEqual([]);
});
