import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';

/** What a README is called, the best first. */
const names = [/^readme\.md$/i, /^readme\.markdown$/i, /^readme(?:\.txt)?$/i];

/** The file of a model that is its README; undefined when it has none. Pure. */
export const findReadme = (files: ShownModel['files']): ShownModel['files'][number] | undefined => {
  for (const name of names) {
    const found = files.find(({ path }) => name.test(path));
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What stands before the path of a file in the URL of its bytes. */
export const filesOf = (modelId: string): string => `/${modelId.split('/').map(encodeURIComponent).join('/')}/resolve/main/`;
