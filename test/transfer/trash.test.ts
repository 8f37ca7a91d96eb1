import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findOthers } from '../../src/core/transfer/trash/list-below.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a directory that another process is removing counts as empty', async () => {
  const gone = join(await temporaryDirectory(), 'gone');
  expect(await findOthers(gone, () => false)).toEqual([]);
});
