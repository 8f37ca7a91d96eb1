import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { readTraits } from '../../src/core/store/facts/read-traits.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const mebibyte = 1024 * 1024;

/** The tags of a model with one file, which may be anything. */
async function tagsOf(name: string, write: (path: string) => Promise<void>): Promise<readonly string[]> {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'org--m'));
  await write(join(root, 'org--m', name));
  const entry = {
    model_id: parseModelId('org/m'),
    store_path: 'org--m',
    files: [name],
    downloaded_at: '',
    total_bytes: 0,
    repo_has_projector: null,
  };
  const { tags } = await within('the look at the model', readTraits({ root }, entry, undefined, {}));
  return tags;
}

const content = (text: string | Buffer) => (path: string) => writeFile(path, text);
const sparse = (bytes: number) => async (path: string) => {
  const file = await open(path, 'w');
  await file.write('{"vision_config":{},"x":"');
  await file.truncate(bytes).finally(() => file.close());
};

test.each([
  ['config.json', 'nested four million deep', content('['.repeat(4 * mebibyte - 1))],
  ['config.json', 'nested and closed', content(`{"vision_config":${'['.repeat(500_000)}${']'.repeat(500_000)}`)],
  ['config.json', 'of 8 GiB', sparse(8 * 1024 * mebibyte)],
  ['config.json', 'of one number', content('1e999')],
  ['config.json', 'of bytes that are no text', content(Buffer.alloc(100_000, 0xff))],
  ['config.json', 'that would change what objects are', content('{"__proto__":{"vision_config":{}},"constructor":{"vision_config":1}}')],
  ['config.json', 'of wrong kinds', content('{"architectures":{"length":1e9},"quantization":[[]],"model_type":{}}')],
  ['chat_template.jinja', 'of 200 MB', sparse(200_000_000)],
  ['chat_template.jinja', 'that makes slow patterns slow', content('<'.repeat(2 * mebibyte))],
  ['tokenizer_config.json', 'with a template that is no text', content('{"chat_template":{"toString":1}}')],
  ['config.json', 'that is a link to somewhere else', (path: string) => symlink('/etc/hostname', path)],
  ['config.json', 'that is an endless device', (path: string) => symlink('/dev/zero', path)],
])('a %s %s gives no tags and takes a limited time', async (name, _, write) => {
  expect(await tagsOf(name, write)).toEqual([]);
});
