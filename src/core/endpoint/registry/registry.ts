import type { GgufHeader } from '../../catalog/gguf-header.ts';
import { type KindFile, kindsOfFiles } from '../../catalog/selection/file-kind.ts';
import { type Group, isBroken, isLoadable, listGroups } from '../../catalog/selection/groups.ts';
import { pickProjectors } from '../../catalog/selection/pick-projectors.ts';
import { isModelId } from '../../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../../kernel/sha256.ts';
import type { HubAsker, HubBackend, HubFile, HubRepo } from '../contract.ts';
import { findTag } from './find-tag.ts';
import { createImageCache } from './image-cache.ts';
import { digestOf, type Image, type LayerFile, makeImage, manifestOf, type OwnFile } from './make-image.ts';
import { readWhole } from './read-whole.ts';
import { asRegistryRefusal, RegistryRefusal } from './refusal.ts';

/** The options of a registry. */
export interface RegistryOptions {
  readonly hub: Pick<HubBackend, 'repo' | 'open'>;
  /** Reads the header of a GGUF file, which may have to be fetched; undefined if it has no data. */
  readonly header: (
    repo: HubRepo,
    file: HubFile,
    options: { readonly asker: HubAsker; readonly signal: AbortSignal },
  ) => Promise<GgufHeader | undefined>;
  /** The file that the card of a model names. */
  readonly pinOf: (repo: HubRepo) => Promise<string | undefined>;
}

/** The client of a registry, and its signal. */
export interface RegistryAsker {
  readonly asker: HubAsker;
  readonly signal: AbortSignal;
}

/** The content for a digest: bytes generated from a model, or a file of it. */
export type RegistryBlob =
  | { readonly kind: 'made'; readonly bytes: Buffer; readonly sha256: Sha256 }
  | { readonly kind: 'file'; readonly repo: HubRepo; readonly file: HubFile; readonly sha256: Sha256 };

/** The store as a registry of models for Ollama and llama.cpp. Every method throws `RegistryRefusal`, or `SkulkError`. */
export interface Registry {
  /** The manifest for a tag, and its digest. */
  manifest(
    named: { readonly id: string; readonly tag: string },
    options: RegistryAsker & { readonly isForLlama: boolean },
  ): Promise<{ readonly bytes: Buffer; readonly digest: string }>;
  /** Finds the content for a digest in a model, even if this process has never sent its manifest. */
  blob(named: { readonly id: string; readonly digest: string }, options: RegistryAsker): Promise<RegistryBlob>;
}

interface GgufFile extends LayerFile, KindFile {
  readonly file: HubFile;
}

/** The size limit of a repo's own file for Ollama, in bytes. */
const maxOwnBytes = 1024 * 1024;

/** @param options see `RegistryOptions` */
export function createRegistry({ hub, header, pinOf }: RegistryOptions): Registry {
  const images = createImageCache();
  const findRepo = async (id: string, { asker, signal }: RegistryAsker): Promise<HubRepo> => {
    if (!isModelId(id)) throw new RegistryRefusal('NAME_UNKNOWN', 'this is not a model name; expected org/name');
    return hub.repo({ id }, asker, signal);
  };
  const imageOf = (repo: HubRepo, group: Group<GgufFile>, projectors: readonly GgufFile[], options: RegistryAsker): Promise<Image> => {
    const { asker, signal } = options;
    const isHeld = group.files.every(({ file }) => file.isHeld);
    const [projector] = pickProjectors(projectors, { wanted: undefined, group });
    const ownFiles = ownFilesOf(repo, isHeld);
    // More files of a commit may be added to the store later.
    const key = JSON.stringify([group.ggufFile, isHeld, projector?.path, ownFiles.map(([, { oid }]) => oid)]);
    return images.find(repo, { key, signal }, async () => {
      const [{ file } = { file: undefined }] = group.files;
      const own: Partial<Record<OwnFile, Buffer>> = {};
      for (const [name, one] of ownFiles)
        own[name] = await readWhole(await hub.open(repo, one, { range: { start: 0, end: one.size }, asker, signal }), one.size);
      return makeImage({ group, projector, header: file === undefined ? undefined : await header(repo, file, options), own });
    });
  };
  return {
    manifest: refusing(async ({ id, tag }, { isForLlama, ...options }) => {
      const repo = await findRepo(id, options);
      const { held, all } = ggufFilesOf(repo);
      const pin = await pinOf(repo);
      const ofHeld = findTag(held.weights, tag, pin);
      const group = ofHeld ?? findTag(all.weights, tag, pin);
      if (group === undefined) throw noSuchTag(repo, tag, options.asker.mayFetch ? all.weights : held.weights);
      if (ofHeld === undefined && !options.asker.mayFetch)
        throw new RegistryRefusal(
          'DENIED',
          `${group.selector} of ${repo.id} is not in the store; use \`skulk download ${repo.id}:${group.selector}\`, or a token with the role node`,
        );
      if (group.files.length > 1 && !isForLlama) throw isSplit(repo, group);
      const image = await imageOf(repo, group, (ofHeld === undefined ? all : held).projectors, options);
      const bytes = manifestOf(image, { isForLlama });
      return { bytes, digest: digestOf(bytes) };
    }),
    blob: refusing(async ({ id, digest }, options) => {
      const sha256 = digest.replace(/^sha256:/, '');
      if (!digest.startsWith('sha256:') || !isSha256(sha256))
        throw new RegistryRefusal('DIGEST_INVALID', 'a digest must be "sha256:" and 64 lower-case hexadecimal digits');
      const repo = await findRepo(id, options);
      const file = repo.files.find((one) => digestOfFile(one) === sha256);
      if (file !== undefined) {
        if (file.isHeld || options.asker.mayFetch) return { kind: 'file', repo, file, sha256 };
        throw new RegistryRefusal(
          'DENIED',
          `${JSON.stringify(file.path)} of ${repo.id} is not in the store; use \`skulk download\`, or a token with the role node`,
        );
      }
      const known = await images.findMade(repo, digest);
      if (known !== undefined) return { kind: 'made', bytes: known, sha256 };
      const { held } = ggufFilesOf(repo);
      for (const group of listGroups(held.weights)) {
        if (!isLoadable(group) || isBroken(group)) continue;
        const bytes = (await imageOf(repo, group, held.projectors, options)).made.get(digest);
        if (bytes !== undefined) return { kind: 'made', bytes, sha256 };
      }
      throw new RegistryRefusal('BLOB_UNKNOWN', `${repo.id} has no blob with the digest ${digest}`);
    }),
  };
}

/** Translates a Hub's refusals into a registry's. */
const refusing =
  <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
  (...given: A): Promise<R> =>
    work(...given).catch((error: unknown) => {
      throw asRegistryRefusal(error);
    });

interface GgufFiles {
  readonly weights: readonly GgufFile[];
  readonly projectors: readonly GgufFile[];
}

/** The GGUF files of a repo with a known sha256: those in the store, and all of them. */
function ggufFilesOf({ files }: HubRepo): { readonly held: GgufFiles; readonly all: GgufFiles } {
  const named = files.filter((file) => digestOfFile(file) !== undefined && /\.gguf/i.test(file.path));
  const pick = (some: readonly HubFile[]): GgufFiles => {
    const kinds = kindsOfFiles(some);
    const ofKind = (kind: 'gguf' | 'projector'): readonly GgufFile[] =>
      some.flatMap((file) => {
        const { path, size, gguf_kind } = file;
        const digest = digestOfFile(file);
        return digest === undefined || kinds.get(path) !== kind ? [] : [{ path, size, sha256: digest, file, gguf_kind }];
      });
    return { weights: ofKind('gguf'), projectors: ofKind('projector') };
  };
  return { held: pick(named.filter(({ isHeld }) => isHeld)), all: pick(named) };
}

/** The digest of the content, if known: a listing has it for LFS files, and the store has it for its own files. */
const digestOfFile = ({ lfs, sha256 }: HubFile): Sha256 | undefined => lfs?.sha256 ?? sha256;

function noSuchTag({ id }: HubRepo, tag: string, weights: readonly GgufFile[]): RegistryRefusal {
  const names = listGroups(weights).map(({ selector }) => selector);
  const shown = names.slice(0, 12).join(', ');
  const has = names.length === 0 ? 'no GGUF file' : `${shown}${names.length > 12 ? ', …' : ''}`;
  return new RegistryRefusal('MANIFEST_UNKNOWN', `${id} has no quantization ${JSON.stringify(tag.slice(0, 100))}; it has ${has}`);
}

const isSplit = ({ id }: HubRepo, { selector, files }: Group): RegistryRefusal =>
  new RegistryRefusal(
    'MANIFEST_UNKNOWN',
    `split GGUF: ${selector} of ${id} is ${files.length} files, which Ollama cannot pull; use llama.cpp, or skulk stage`,
  );

/** A repo's files for Ollama. For a quantization in the store, only those that the store has too. */
function ownFilesOf({ files }: HubRepo, isHeld: boolean): readonly (readonly [OwnFile, HubFile])[] {
  const found = new Map<OwnFile, HubFile>();
  for (const file of files) {
    const name = ownFileOf(file.path);
    if (name !== undefined && !found.has(name) && file.size <= maxOwnBytes && (file.isHeld || !isHeld)) found.set(name, file);
  }
  return [...found];
}

/** Which of Ollama's files a file of a repo is; undefined for most. */
function ownFileOf(path: string): OwnFile | undefined {
  if (path === 'template' || path === 'system' || path === 'params') return path;
  return /^licen[cs]e(?:\.(?:md|txt))?$/i.test(path) ? 'license' : undefined;
}
