import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findInstallation } from '../../src/core/operations/service/find-installation.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test.each<[string, (place: string) => Promise<string>, RegExp]>([
  ['archive', (place) => released(place, { method: 'archive' }), /^sh RELEASE\/install\.sh --from RELEASE --prefix '.*it'\\''s here'$/],
  ['deb', (place) => released(place, { method: 'deb' }), /^sudo apt install \.\/skulk_VERSION_ARCHITECTURE\.deb$/],
  ['npm', (place) => packageIn(join(place, 'lib/node_modules/skulk')), /^npm install -g \.\/skulk-VERSION\.tgz$/],
  ['npm', (place) => released(place, 'other'), /^npm install -g/],
  ['npm', (place) => released(place, null), /^npm install -g/],
  ['clone', (place) => clonedTo(join(place, 'skulk')), /^cd '.*'$/],
])('upgrade uses the method by which skulk was installed: %s', async (method, make, command) => {
  const place = join(await temporaryDirectory(), "it's here");
  const own = await make(place);
  const found = await findInstallation(`${own}/`);
  expect(found.method).toBe(method);
  expect(found.commands[0]).toMatch(command);
  expect([own, dirname(own)]).toContain(found.directory);
});

async function packageIn(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), '{}');
  return directory;
}

async function released(place: string, says: unknown): Promise<string> {
  const own = await packageIn(join(place, 'lib/skulk/app'));
  await writeFile(join(place, 'lib/skulk/.skulk-release'), JSON.stringify(says));
  return own;
}

async function clonedTo(directory: string): Promise<string> {
  await mkdir(join(directory, '.git'), { recursive: true });
  return packageIn(directory);
}
