import type { LocalCopy } from '../../staging/local-copy.ts';
import { readUnrecorded } from '../../staging/unrecorded-copy.ts';
import type { ModelStage } from './model-stage.ts';

/** The usable parts of a copy that the Python program staged on this machine. */
export const readUnrecordedCopy = (
  { deps: { world }, ref: { modelId }, layout }: ModelStage,
  files: Parameters<typeof readUnrecorded>[2]['files'],
): Promise<Pick<LocalCopy, 'manifest' | 'changed'> | undefined> =>
  readUnrecorded(layout, modelId, {
    files,
    signal: world.signal,
    onFound: () => world.emit({ type: 'waiting', message: `hashing the copy of ${modelId} that the Python program staged here` }),
  });
