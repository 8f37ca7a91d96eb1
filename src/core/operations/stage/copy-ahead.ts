import type { DownloadName, Downloads } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { ModelStage } from './model-stage.ts';

/** Copies the available parts of a model while the store is still downloading it. */
export interface CopyAhead {
  /** Never rejects: if an error matters, the stage that follows reports it. */
  readonly run: (downloads: Downloads, download: DownloadName, hasEnded: () => boolean) => Promise<void>;
  /** The number of bytes copied so far. */
  readonly bytes: () => number;
}

/** Copies nothing until `run` is called. */
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
        // A store that cannot list arrived parts has nothing to copy ahead.
        if (error instanceof SkulkError && error.code === 'STORE_UNREACHABLE') return;
        deps.world.emit({ type: 'note', message: describeFailure('stopped copying ahead of the download', error) });
      });
    },
  };
}
