/** What can be said of a model at a glance. */
export type Tag = 'vision' | 'thinking' | 'embedding' | 'tensor' | 'optiq';

/**
 * The tags that follow from a model's id and its file names alone.
 * Source: hub-protocol.md, "Model cards": `optiq` when the id contains it, `vision` when there is a projector.
 */
export function tagsFromNames(modelId: string, files: readonly string[]): readonly Tag[] {
  const tags: Tag[] = [];
  if (files.some((path) => /mmproj[^/]*\.gguf$/i.test(path))) tags.push('vision');
  if (/optiq/i.test(modelId)) tags.push('optiq');
  return tags;
}
