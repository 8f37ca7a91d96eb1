import { chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileDurably } from '../../src/core/kernel/files/durable-file.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

test("a file that root writes into another user's directory belongs to that user", wants('root'), async () => {
  const directory = join(await temporaryDirectory(), 'store');
  await mkdir(directory);
  await chown(directory, 12_345, 12_346);
  await writeFileDurably(join(directory, 'tokens.json'), '{}', { mode: 0o600 });
  expect(await stat(join(directory, 'tokens.json'))).toMatchObject({ uid: 12_345, gid: 12_346, mode: 0o100600 });
});
