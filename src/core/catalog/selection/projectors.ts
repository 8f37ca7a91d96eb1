import { kindOf } from './file-kind.ts';

/** Whether a path is a multimodal projector in GGUF: `mmproj` in its base name, in any case and spelling. */
export const isProjector = (path: string): boolean => kindOf(path) === 'projector';

/** Whether the projector of a repo is missing here, so that the model could not process images. */
export const lacksProjector = (files: readonly string[], repoHasProjector: boolean | null): boolean =>
  repoHasProjector === true && !files.some(isProjector);
