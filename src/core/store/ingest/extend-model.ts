import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findClash, isDownloaded, makeManifest } from '../../catalog/manifest.ts';
import { withSideKinds } from '../../catalog/side-kinds.ts';
import type { UpstreamFile } from '../../catalog/upstream.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { renameDurably, syncDirectory } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import type { Adopted } from '../../protocol/models/adoption.ts';
import { readFingerprint } from '../../transfer/fingerprint.ts';
import type { ExtendRequest } from '../local-store.ts';
import type { StoreContext } from '../store-context.ts';
import { makeEntry } from './adopt-checks.ts';
import { abandonPlace, makeIncomingPlace } from './incoming.ts';

/**
 * Adds verified files to a model; see `LocalStore.extend`. Existing files are not changed. All of the model's files must be from the same
 * commit as the new ones.
 * @throws SkulkError MODEL_NOT_FOUND, CONFLICT
 */
export async function extendModel({ modelId, files, upstream }: ExtendRequest, context: StoreContext): Promise<Adopted> {
  const { layout, registry, records, writer, world } = context;
  return writer.write(async () => {
    const present = (await registry()).entries.get(modelId);
    const before = present === undefined ? undefined : await records.read(modelId);
    if (present === undefined || before === undefined)
      throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store`, { hint: 'download it first' });
    const listed = new Map(upstream.files.map((file) => [file.path as string, file]));
    const other = before.manifest.files.find((file) => !isSame(file, listed.get(file.path)));
    if (!isDownloaded(before.manifest) || other !== undefined)
      throw new SkulkError('CONFLICT', `${modelId} is in the store at another commit than ${upstream.commit.slice(0, 12)}`, {
        hint: `\`skulk download ${modelId}\` updates it`,
      });
    const added = files.filter(({ file }) => !before.byPath.has(file.path));
    const all = [...before.manifest.files, ...added.map(({ file }) => file)];
    const clash = findClash(all.map(({ path }) => path));
    if (clash !== undefined) throw new SkulkError('CONFLICT', `files of ${modelId} have conflicting paths: ${clash}`);
    const { revision, source } = before.manifest;
    const manifest = makeManifest(modelId, withSideKinds(all, upstream.files), {
      revision,
      commit: upstream.commit,
      source,
      createdAt: world.now(),
    });
    const entry = makeEntry(modelId, manifest, { present, storePath: present.store_path, now: world.now() });
    const place = await makeIncomingPlace(layout, modelId);
    const moved: (readonly [from: string, to: string])[] = [];
    const undo = async (): Promise<void> => {
      for (const [from, to] of moved) await rename(to, from).catch(() => undefined);
      await abandonPlace(place.path);
    };
    try {
      for (const { file, from } of added) {
        const to = join(place.files, file.path);
        await makeDirectory(dirname(to));
        await renameDurably(from, to);
        moved.push([from, to]);
      }
      for (const directory of new Set(moved.map(([, to]) => dirname(to)))) await syncDirectory(directory);
    } catch (error) {
      await undo();
      throw error;
    }
    const looks = await Promise.all(
      added.map(async ({ file }) => [file.path, await readFingerprint(join(place.files, file.path))] as const),
    );
    const seen = { ...before.seen, ...Object.fromEntries(looks.flatMap(([path, look]) => (look === undefined ? [] : [[path, look]]))) };
    const paths = added.map(({ file }) => file.path);
    await writer.carryOut({ op: 'publish', entry, manifest, upstream, seen, incoming: place.name, added: paths }, undo);
    return { entry, digest: manifest.digest, outcome: paths.length === 0 ? 'unchanged' : 'replaced' };
  });
}

const isSame = ({ size, sha256, hub_id }: ManifestFile, listed: UpstreamFile | undefined): boolean =>
  listed !== undefined && listed.size === size && (listed.sha256 === undefined ? listed.oid === hub_id : listed.sha256 === sha256);
