import type { HubRepo } from '../contract.ts';
import type { Image } from './make-image.ts';

/** A cache of the most recently requested images. */
export interface ImageCache {
  /**
   * The image for a key of a model; creates it if it is missing. Errors are not cached, and only end the request that created the image,
   * because that may have been cancelled.
   */
  find(repo: HubRepo, of: { readonly key: string; readonly signal: AbortSignal }, make: () => Promise<Image>): Promise<Image>;
  /** The bytes for a digest, from the cached images of a model. */
  findMade(repo: HubRepo, digest: string): Promise<Buffer | undefined>;
}

/** The number of models whose images stay in memory. Others are created again when needed. */
const maxKnown = 128;

/** Starts empty. */
export function createImageCache(): ImageCache {
  const known = new Map<string, { readonly commit: string; readonly images: Map<string, Promise<Image>> }>();
  const imagesOf = ({ id, commit }: HubRepo): Map<string, Promise<Image>> => {
    const found = known.get(id);
    const kept = found?.commit === commit ? found : { commit, images: new Map<string, Promise<Image>>() };
    known.delete(id);
    known.set(id, kept);
    if (known.size > maxKnown) known.delete(known.keys().next().value ?? id);
    return kept.images;
  };
  const find: ImageCache['find'] = async (repo, { key, signal }, make) => {
    const images = imagesOf(repo);
    const found = images.get(key);
    if (found !== undefined) {
      const image = await found.catch(() => undefined);
      signal.throwIfAborted();
      return image ?? find(repo, { key, signal }, make);
    }
    const image = make();
    images.set(key, image);
    image.catch(() => images.delete(key));
    return image;
  };
  return {
    find,
    findMade: async (repo, digest) => {
      for (const image of imagesOf(repo).values()) {
        const bytes = await image.then(({ made }) => made.get(digest)).catch(() => undefined);
        if (bytes !== undefined) return bytes;
      }
      return undefined;
    },
  };
}
