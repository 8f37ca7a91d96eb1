import type { DownloadName, Downloads } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelStage } from './model-stage.ts';

/** Copies what the store has of a model that it still downloads. */
export interface CopyAhead {
  /** Never rejects: whatever goes wrong here shows in the stage that follows, if it matters. */
  readonly run: (downloads: Downloads, download: DownloadName, hasEnded: () => boolean) => Promise<void>;
  /** What has come so far. */
  readonly bytes: () => number;
}

/** Copies nothing until it is run. */
export function copyAhead({ deps, options: { limiter }, layout, connections }: ModelStage): CopyAhead {
  let received = 0;
  const onBytes = (bytes: number): void => {
    received += bytes;
  };
  return {
    bytes: () => received,
    run: async (downloads, download, hasEnded) => {
      const { stageAhead } = await import('./stage-ahead.ts');
      await stageAhead(deps, { download, downloads, layout, connections, limiter, hasEnded, onBytes }).catch((error: unknown) => {
        // A store that cannot say what has come has nothing to copy ahead.
        if (error instanceof SkulkError && error.code === 'STORE_UNREACHABLE') return;
        deps.world.emit({ type: 'note', message: `stopped copying ahead of the download: ${String(error)}` });
      });
    },
  };
}
