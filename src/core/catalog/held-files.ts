import type { ManifestFile } from '../protocol/manifest.ts';
import type { KindFile } from './selection/file-kind.ts';
import { type Group, isBroken, listGroups } from './selection/groups.ts';
import type { UpstreamFile } from './upstream.ts';

type HeldFiles = readonly ManifestFile[];

/** Adds the kind of files of which the store has the listed content: a name may call a projector weights. Pure. */
export function withKnownKinds<F extends UpstreamFile>(listed: readonly F[], held: HeldFiles): readonly (F & KindFile)[] {
  const known = new Map<string, ManifestFile>(held.flatMap((file) => (file.gguf_kind === undefined ? [] : [[file.path, file]])));
  if (known.size === 0) return listed;
  return listed.map((file) => {
    const there = known.get(file.path);
    return there !== undefined && isSameContent(file, there) ? { ...file, gguf_kind: there.gguf_kind } : file;
  });
}

/** Whether the store has a quantization of a repo, and with which content. Pure. */
export function holdingOf(
  { files, ggufFile, cut }: Pick<Group<UpstreamFile>, 'files' | 'ggufFile' | 'cut'>,
  held: ReadonlyMap<string, ManifestFile>,
): 'same' | 'older' | 'none' {
  // The store has pieces as one joined file, and the repo lists no id for it.
  if (cut === 'bytes') return held.has(ggufFile) ? 'same' : 'none';
  const there = files.map((file) => ({ file, own: held.get(file.path) }));
  if (there.some(({ own }) => own === undefined)) return 'none';
  return there.every(({ file, own }) => own !== undefined && isSameContent(file, own)) ? 'same' : 'older';
}

/** The complete quantizations of a repo of which the store has no file; best choice first. Pure. */
export function listNotHeld(listed: readonly UpstreamFile[], held: HeldFiles): readonly Group<UpstreamFile>[] {
  const here = new Set<string>(held.map(({ path }) => path));
  return listGroups(withKnownKinds(listed, held)).filter(
    (group) => !isBroken(group) && !here.has(group.ggufFile) && !group.files.some(({ path }) => here.has(path)),
  );
}

/** Whether a file of the store has the listed content, if both have an id of the same kind. */
function isSameContent({ size, sha256, oid }: UpstreamFile, held: ManifestFile): boolean {
  if (size !== held.size) return false;
  if (sha256 !== undefined) return sha256 === held.sha256;
  return oid === undefined || held.hub_id === undefined || oid === held.hub_id;
}
