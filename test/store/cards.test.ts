import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';

const id = 'me/Foo-4bit';
const name = 'me--Foo-4bit.toml';
const card = (changes = ''): string =>
  `model_id = "${id}"\nsupports_tensor = true\ncapabilities = ["text", "thinking"]\ncontext_length = 32768\nfamily = "foo"\nbase_model = "Foo 4B"\n${changes}`;
const record = (modelId = id): string =>
  JSON.stringify({
    artifact_model_id: modelId,
    artifact_role: 'base',
    model_card: { model_id: modelId, supports_tensor: true, capabilities: ['text', 'vision'], context_length: 0, family: 'bar' },
  });

/** A store without a server, and a directory to add. */
async function storeToBe() {
  const world = await hubWorld();
  const source = join(world.home, 'Foo');
  await writeFiles(source, { 'config.json': '{}', 'model.safetensors': 'weights' });
  const show = async () => JSON.parse((await world.host('show', id, '--json')).stdout);
  return { world, source, show, cardFile: join(world.home, 'a card.toml') };
}

describe('a model card', () => {
  test('is added to the store with `skulk add --card`, is shown, and describes the model', async () => {
    const { world, source, show, cardFile } = await storeToBe();
    await writeFile(cardFile, card());
    expect(await world.host('add', source, '--as', id, '--card', cardFile)).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({
      card: 'model',
      tags: ['thinking', 'tensor'],
      family: 'foo',
      context_length: 32768,
      base_model: 'Foo 4B',
      files: expect.arrayContaining([expect.objectContaining({ path: name })]),
    });
    expect((await world.host('show', id)).stdout).toMatch(/^card {6}among its files$/m);
    // The same again changes nothing; another card is another content.
    expect((await world.host('add', source, '--as', id, '--card', cardFile)).stdout).toContain('already there');
    await writeFile(cardFile, card('quantization = "4bit"\n'));
    expect(await world.host('add', source, '--as', id, '--card', cardFile)).toMatchObject({ status: 5 });
    expect(await world.host('add', source, '--as', id, '--card', cardFile, '--force')).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({ quantization: '4bit' });
  });

  test('is sent with the model to a store on another machine', async () => {
    const { world, source, show, cardFile } = await storeToBe();
    const served = await world.serveInProcess();
    await writeFile(cardFile, card());
    expect(await world.nodeInProcess(served, 'n1', 'add', source, '--as', id, '--card', cardFile)).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({ card: 'model', tags: ['thinking', 'tensor'] });
    expect(await readFile(join(served.storePath, 'me--Foo-4bit', name), 'utf8')).toBe(card());
  });

  test('of the Python program beside the files is added with them, and used for a model that is adopted in place', async () => {
    const { world, source, show } = await storeToBe();
    await writeFiles(source, { '.skulk/installed-card.json': record() });
    const added = await world.host('add', source, '--as', id, '--json');
    expect(JSON.parse(added.stdout).files).toEqual(['config.json', 'me--Foo-4bit.card.json', 'model.safetensors']);
    expect(await show()).toMatchObject({ card: 'model', tags: ['vision', 'tensor'], family: 'bar', context_length: null });
    // The card of another model is ignored.
    await writeFiles(source, { '.skulk/installed-card.json': record('me/Other') });
    expect(await world.host('add', source, '--as', 'me/Bare')).toMatchObject({ status: 0 });
    expect(JSON.parse((await world.host('show', 'me/Bare', '--json')).stdout)).toMatchObject({ card: null, tags: [] });

    const place = join(world.storePath, 'me--There');
    await writeFiles(place, { 'config.json': '{}', '.skulk/installed-card.json': record('me/There') });
    expect((await world.host('add', place, '--as', 'me/There')).stdout).toContain('adopted in place');
    expect(JSON.parse((await world.host('show', 'me/There', '--json')).stdout)).toMatchObject({
      card: 'python',
      tags: ['vision', 'tensor'],
    });
  });

  test('keeps its own file when the model is moved, and a refused add does not change the card of the model', async () => {
    const { world, source, cardFile } = await storeToBe();
    await writeFile(cardFile, card());
    expect(await world.host('add', source, '--as', id, '--card', cardFile, '--move')).toMatchObject({ status: 0 });
    expect(await readFile(cardFile, 'utf8')).toBe(card());
    // With another content in its place the store refuses, and what was written for it is gone.
    const place = join(world.storePath, 'me--Foo-4bit');
    await writeFiles(place, { 'more.txt': 'more' });
    const other = join(world.home, 'other.toml');
    await writeFile(other, card('n_layers = 3\n'));
    expect(await world.host('add', place, '--as', id, '--card', other)).toMatchObject({ status: 5 });
    expect(await readFile(join(place, name), 'utf8')).toBe(card());
  });

  test('that is replaced by force is restored when the store refuses the model', async () => {
    const { world, source, cardFile } = await storeToBe();
    await writeFiles(source, { [name]: card() });
    await writeFile(cardFile, card('n_layers = 3\n'));
    await mkdir(world.storePath, { recursive: true });
    const place = join(world.storePath, 'me--Foo-4bit');
    await symlink(source, place);
    const refused = await world.host('add', place, '--as', id, '--card', cardFile, '--force');
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringContaining('is a link to a place outside the store') });
    expect(await readFile(join(source, name), 'utf8')).toBe(card());
  });

  test.each([
    ['of another model', 'model_id = "me/Other"\n', 2, 'its model_id is me/Other'],
    ['that is no TOML', 'model_id = "me/Foo-4bit"\n[[[', 2, 'line 2'],
    ['that is missing', undefined, 3, 'does not exist'],
  ])('%s is refused before anything is copied', async (_, text, status, says) => {
    const { world, source, cardFile } = await storeToBe();
    if (text !== undefined) await writeFile(cardFile, text);
    const refused = await world.host('add', source, '--as', id, '--card', cardFile);
    expect(refused).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(says) });
    expect(existsSync(world.storePath)).toBe(false);
  });
});
