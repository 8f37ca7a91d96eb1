import { kindOf } from './file-kind.ts';

/** Whether a path is a multimodal projector in GGUF: `mmproj` in its base name, in any case and spelling. */
export const isProjector = (path: string): boolean => kindOf(path) === 'projector';

/** Whether a repo that ships a projector is here without it, so that the model could not see. */
export const lacksProjector = (files: readonly string[], repoHasProjector: boolean | null): boolean =>
  repoHasProjector === true && !files.some(isProjector);
