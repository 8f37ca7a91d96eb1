import { appendFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestFiles } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseRelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { type ModelId, parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { Adopted } from '../../src/core/protocol/models/adoption.ts';
import type { AdoptRequest, Store } from '../../src/core/store/contract.ts';
import { makeIncomingPlace } from '../../src/core/store/ingest/incoming.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { digestsBelow, noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { until } from '../helpers/waiting.ts';

/** Opens the store with its files at `root`; it is closed when the test ends. */
export type OpenStore = (root: string) => Promise<Store>;

const id = parseModelId('org/name');
const missing = 'f'.repeat(64) as Sha256;
const { signal } = new AbortController();

/** The code of the SkulkError with which a promise is rejected. */
export const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof SkulkError ? error.code : String(error)),
  );

/** The answer about a model without a manifest, which a store may hash in the background. */
export const hashedManifest = (store: Pick<Store, 'manifest'>, modelId: ModelId): ReturnType<Store['manifest']> =>
  until('the end of hashing', async () => {
    const answer = await store.manifest(modelId);
    return answer.state !== 'hashing' && answer;
  });

/** Puts files into `incoming/` like `add`, and lets the store adopt them. */
export async function bringIn(
  store: Store,
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  request: Partial<AdoptRequest> & { readonly modelId?: ModelId } = {},
): Promise<Adopted> {
  const modelId = request.modelId ?? id;
  const place = await makeIncomingPlace(storeLayout(root), modelId);
  await writeFiles(place.files, files);
  return store.adopt({ modelId, incoming: place.name, ...request }, { signal });
}

/** All bytes of a piece. */
export async function readAll(
  store: Store,
  path: string,
  { start = 0, end, of }: { start?: number; end: number; of: string },
): Promise<Buffer> {
  const request = { modelId: id, path: parseRelativePath(path), range: { start, end }, sha256: of as Sha256 };
  const parts: Buffer[] = [];
  for await (const part of store.readPiece(request, signal)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** The behaviour of every store, on a disk or over HTTP. */
export function describeStore(name: string, openIn: OpenStore, makeRoot: () => Promise<string>): void {
  const open = async (): Promise<{ store: Store; root: string }> => {
    const root = await makeRoot();
    return { store: await openIn(root), root };
  };

  describe(name, () => {
    test('reports its state and an empty list when it has no models', async () => {
      const { store, root } = await open();
      expect(await store.health()).toMatchObject({ store_path: root, models: 0 });
      expect((await store.health()).total_bytes).toBeGreaterThan(0);
      expect(await store.listModels()).toEqual([]);
      expect(await codeOf(store.manifest(id))).toBe('MODEL_NOT_FOUND');
      expect(await codeOf(store.remove(id))).toBe('MODEL_NOT_FOUND');
      expect(await codeOf(store.verify({ refs: [{ modelId: id }], repair: false }, { signal }))).toBe('MODEL_NOT_FOUND');
      expect(await store.verify({ refs: [], repair: false }, { signal })).toEqual({ ok: true, models: [] });
    });

    test('describes a model from its card and its files, and again when the card changes', async () => {
      const { store, root } = await open();
      const bomb = `${'['.repeat(1_000_000)}`;
      await bringIn(store, root, {
        'config.json': '{"model_type":"qwen3","vision_config":{}}',
        'tokenizer_config.json': JSON.stringify({ chat_template: '<think>' }),
      });
      const traits = async () => (await store.listDescribed())[0];
      expect(await traits()).toMatchObject({ model_id: id, tags: ['vision', 'thinking'], family: 'qwen3', supports_tensor: null });
      const card = join(root, '.skulk', 'v1', 'manifests', 'org--name.toml');
      await writeFile(card, 'model_id = "org/name"\nsupports_tensor = true\ncapabilities = ["text"]\n');
      expect(await traits()).toMatchObject({ tags: ['tensor'], supports_tensor: true });
      await rm(card);
      for (const config of [bomb, '{"a":', 'null', `{"model_type":"${'x'.repeat(5_000_000)}"}`]) {
        await store.remove(id);
        await bringIn(store, root, { 'config.json': config });
        expect(await traits()).toMatchObject({ tags: [], family: null });
      }
    });

    test('lists the companions of a card beside the manifests, and ignores an invalid card', async () => {
      const { store, root } = await open();
      const { digest } = await bringIn(store, root, { 'b.txt': 'bee' });
      const card = join(root, '.skulk', 'v1', 'manifests', 'org--name.toml');
      await writeFile(card, 'model_id = "org/name"\n[vision]\nweights_repo = "org/eyes"\n');
      const companions = [{ role: 'vision', modelId: 'org/eyes' }];
      expect(await store.manifest(id)).toMatchObject({ state: 'ready', companions });
      expect(await store.manifest(id, { knownDigest: digest })).toEqual({ state: 'unchanged', companions });
      await writeFile(card, 'model_id = "org/name"\n[vision\n');
      expect(await store.manifest(id)).toMatchObject({ state: 'ready', companions: [] });
    });

    test('lists, describes and sends an adopted model', async () => {
      const { store, root } = await open();
      const adopted = await bringIn(store, root, { 'b.txt': 'bee', 'a/c.txt': '' });
      expect(adopted.outcome).toBe('added');
      expect(adopted.entry).toMatchObject({ model_id: id, store_path: 'org--name', files: ['a/c.txt', 'b.txt'], total_bytes: 3 });
      expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([id]);
      const answer = await store.manifest(id);
      if (answer.state !== 'ready') throw new Error(answer.state);
      expect(answer.manifest.files.map((file) => [file.path, file.size, file.sha256])).toEqual([
        ['a/c.txt', 0, sha256('')],
        ['b.txt', 3, sha256('bee')],
      ]);
      expect(answer.manifest.digest).toBe(digestFiles(answer.manifest.files));
      expect(answer.manifest.digest).toBe(adopted.digest);
      expect(await store.manifest(id, { knownDigest: adopted.digest })).toEqual({ state: 'unchanged', companions: [] });
      expect((await store.manifest(id, { knownDigest: missing })).state).toBe('ready');
      expect((await readAll(store, 'b.txt', { end: 3, of: sha256('bee') })).toString()).toBe('bee');
      expect((await readAll(store, 'b.txt', { start: 1, end: 2, of: sha256('bee') })).toString()).toBe('e');
    });

    test('has the digest of each chunk of a large file, and sends pieces across chunks', async () => {
      const { store, root } = await open();
      const bytes = noise(chunkSize + 100_000);
      await bringIn(store, root, { 'big.gguf': bytes });
      const answer = await store.manifest(id);
      if (answer.state !== 'ready') throw new Error(answer.state);
      expect(answer.manifest.files[0]?.chunks).toEqual([sha256(bytes.subarray(0, chunkSize)), sha256(bytes.subarray(chunkSize))]);
      const of = sha256(bytes);
      for (const [start, end] of [
        [0, bytes.length],
        [chunkSize - 5, chunkSize + 5],
        [chunkSize, bytes.length],
        [bytes.length - 1, bytes.length],
      ] as const) {
        expect(sha256(await readAll(store, 'big.gguf', { start, end, of }))).toBe(sha256(bytes.subarray(start, end)));
      }
    });

    test('refuses a piece with other content, and a piece of a file that does not exist', async () => {
      const { store, root } = await open();
      await bringIn(store, root, { 'a.txt': 'one' });
      expect(await codeOf(readAll(store, 'a.txt', { end: 3, of: missing }))).toBe('INTEGRITY');
      expect(await codeOf(readAll(store, 'b.txt', { end: 3, of: missing }))).toBe('FILE_NOT_FOUND');
    });

    test('refuses a file that changed after its manifest, even if its old date was restored', async () => {
      const { store, root } = await open();
      const file = join(root, 'org--name', 'a.txt');
      await bringIn(store, root, { 'a.txt': 'one', 'b.txt': 'other' });
      const date = new Date('2020-01-01T00:00:00Z');
      await utimes(file, date, date);
      expect((await readAll(store, 'a.txt', { end: 3, of: sha256('one') })).toString()).toBe('one');
      await writeFile(file, 'two');
      await utimes(file, date, date);
      expect(await codeOf(readAll(store, 'a.txt', { end: 3, of: sha256('one') }))).toBe('INTEGRITY');
      await appendFile(join(root, 'org--name', 'b.txt'), '!');
      expect(await codeOf(readAll(store, 'b.txt', { end: 5, of: sha256('other') }))).toBe('INTEGRITY');
      const report = await store.verify({ refs: [], repair: false }, { signal });
      expect(report).toMatchObject({
        ok: false,
        models: [
          {
            status: 'damaged',
            bad_files: [
              { path: 'a.txt', problem: 'content' },
              { path: 'b.txt', problem: 'size' },
            ],
          },
        ],
      });
    });

    test('changes nothing when the same content is adopted again, and refuses other content without force', async () => {
      const { store, root } = await open();
      const first = await bringIn(store, root, { 'a.txt': 'one' });
      const again = await bringIn(store, root, { 'a.txt': 'one' });
      expect(again).toEqual({ ...first, outcome: 'unchanged' });
      expect(await codeOf(bringIn(store, root, { 'a.txt': 'two' }))).toBe('CONFLICT');
      expect(await digestsBelow(join(root, 'org--name'))).toEqual({ 'a.txt': sha256('one') });
      const replaced = await bringIn(store, root, { 'z.txt': 'two' }, { force: true });
      expect(replaced.outcome).toBe('replaced');
      expect(await digestsBelow(join(root, 'org--name'))).toEqual({ 'z.txt': sha256('two') });
      expect((await readAll(store, 'z.txt', { end: 3, of: sha256('two') })).toString()).toBe('two');
      expect(await codeOf(readAll(store, 'a.txt', { end: 3, of: sha256('one') }))).toBe('FILE_NOT_FOUND');
    });

    test('repairs a damaged model when the right content is adopted', async () => {
      const { store, root } = await open();
      await bringIn(store, root, { 'a.txt': 'one' });
      await writeFile(join(root, 'org--name', 'a.txt'), 'bad');
      expect((await bringIn(store, root, { 'a.txt': 'one' })).outcome).toBe('replaced');
      expect((await readAll(store, 'a.txt', { end: 3, of: sha256('one') })).toString()).toBe('one');
    });

    test('adopts a directory in its place, and no other change removes it', async () => {
      const { store, root } = await open();
      await writeFiles(join(root, 'org--name'), { 'a.txt': 'mine' });
      expect(await codeOf(bringIn(store, root, { 'a.txt': 'other' }))).toBe('CONFLICT');
      expect(await digestsBelow(join(root, 'org--name'))).toEqual({ 'a.txt': sha256('mine') });
      expect((await store.adopt({ modelId: id }, { signal })).outcome).toBe('adopted');
      expect((await store.adopt({ modelId: id }, { signal })).outcome).toBe('unchanged');
      expect((await readAll(store, 'a.txt', { end: 4, of: sha256('mine') })).toString()).toBe('mine');
      await writeFile(join(root, 'org--name', 'a.txt'), 'more');
      expect(await codeOf(store.adopt({ modelId: id }, { signal }))).toBe('CONFLICT');
      expect((await store.adopt({ modelId: id, force: true }, { signal })).outcome).toBe('replaced');
    });

    test("refuses content that differs from the caller's digests, and a path outside incoming", async () => {
      const { store, root } = await open();
      expect(await codeOf(bringIn(store, root, { 'a.txt': 'one' }, { digest: missing }))).toBe('INTEGRITY');
      expect(await codeOf(store.adopt({ modelId: id, incoming: '../../org--victim' }, { signal }))).toBe('BAD_PATH');
      expect(await codeOf(store.adopt({ modelId: id, incoming: 'org--name.ffffffffffffffff' }, { signal }))).toBe('FILE_NOT_FOUND');
      expect(await store.listModels()).toEqual([]);
    });

    test('removes a model, which can be added again', async () => {
      const { store, root } = await open();
      await bringIn(store, root, { 'a.txt': 'one' });
      expect(await store.remove(id)).toEqual({ freedBytes: 3 });
      expect(await store.listModels()).toEqual([]);
      expect(await codeOf(store.manifest(id))).toBe('MODEL_NOT_FOUND');
      expect(await digestsBelow(root)).not.toHaveProperty('org--name/a.txt');
      expect((await bringIn(store, root, { 'a.txt': 'two' })).outcome).toBe('added');
    });

    test('reports missing files in verify, and repair restores the files that it can', async () => {
      const { store, root } = await open();
      await bringIn(store, root, { 'a.txt': 'one' });
      expect(await store.verify({ refs: [{ modelId: id }], repair: false }, { signal })).toMatchObject({
        ok: true,
        models: [{ model_id: id, status: 'ok' }],
      });
      const manifest = join(root, '.skulk/v1/manifests/org--name.json');
      await writeFile(manifest, '{');
      expect(await store.verify({ refs: [], repair: false }, { signal })).toMatchObject({ ok: false, models: [{ status: 'damaged' }] });
      expect(await store.verify({ refs: [], repair: true }, { signal })).toMatchObject({ ok: true, models: [{ status: 'repaired' }] });
      await rm(join(root, 'org--name', 'a.txt'));
      expect(await store.verify({ refs: [], repair: true }, { signal })).toMatchObject({
        models: [{ status: 'damaged', bad_files: [{ path: 'a.txt', problem: 'missing' }] }],
      });
      await rm(join(root, 'org--name'), { recursive: true });
      expect(await store.verify({ refs: [], repair: true }, { signal })).toMatchObject({ ok: false, models: [{ status: 'missing' }] });
      await mkdir(join(root, 'org--stray'));
      expect(await store.verify({ refs: [{ modelId: parseModelId('org/stray') }], repair: true }, { signal })).toMatchObject({
        models: [{ status: 'unregistered' }],
      });
    });

    test('lists a registry of the Python program at once, and hashes its models on request', async () => {
      const { store, root } = await open();
      await writeFiles(join(root, 'custom/place'), { 'model.gguf': noise(100_000) });
      const entry = {
        model_id: id,
        store_path: 'custom/place',
        files: ['model.gguf'],
        downloaded_at: '2026-01-01T00:00:00',
        total_bytes: 100_000,
        repo_has_projector: null,
      };
      await writeFile(join(root, 'registry.json'), JSON.stringify({ [id]: entry }));
      expect(await store.listModels()).toMatchObject([entry]);
      const answer = await hashedManifest(store, id);
      if (answer.state !== 'ready') throw new Error(answer.state);
      const of = sha256(noise(100_000));
      expect(answer.manifest.files).toMatchObject([{ path: 'model.gguf', sha256: of }]);
      expect(sha256(await readAll(store, 'model.gguf', { end: 100_000, of }))).toBe(of);
    });
  });
}
