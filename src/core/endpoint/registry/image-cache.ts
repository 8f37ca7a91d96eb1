import type { HubRepo } from '../contract.ts';
import type { Image } from './make-image.ts';

/** The images of the models that were asked for last. */
export interface ImageCache {
  /**
   * The image under a key of a model, made when it is not here. What goes wrong is not remembered, and ends the wait only of the request
   * that made it: it may have been cancelled.
   */
  find(repo: HubRepo, of: { readonly key: string; readonly signal: AbortSignal }, make: () => Promise<Image>): Promise<Image>;
  /** The bytes of a digest, in the images of a model that are here. */
  findMade(repo: HubRepo, digest: string): Promise<Buffer | undefined>;
}

/** Models whose images stay in memory; they are made again when they are needed. */
const maxKnown = 128;

/** Empty. */
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
