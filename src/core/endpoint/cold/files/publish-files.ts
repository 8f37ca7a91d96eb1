import { type FileKind, kindOf } from '../../../catalog/selection/file-kind.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { describeFailure } from '../../../kernel/explain-system-error.ts';
import type { Emit } from '../../../kernel/flow/events.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { LocalStore } from '../../../store/local-store.ts';
import type { ColdFile } from './cold-files.ts';

/** Adds files that were fetched separately to their model in the store. */
export interface FilePublisher {
  /** A file is complete and verified. */
  add(file: ColdFile): void;
  /** Retries files that had to wait for a download of this model. */
  retry(modelId: ModelId): void;
  /** Settles when nothing is being added to the store. */
  settled(modelId: ModelId): Promise<void>;
}

/** Weights are only published by a download: half of a model must not look like a complete one. */
const withDownload: ReadonlySet<FileKind> = new Set(['gguf', 'safetensors', 'pytorch', 'other-format', 'weights-index', 'litter']);

/**
 * Nothing is published yet.
 * @param isBusy whether a download of the model is running or waiting, which publishes the whole model
 */
export function createFilePublisher({
  store,
  isBusy,
  onPublished,
  emit,
}: {
  readonly store: Pick<LocalStore, 'has' | 'extend'>;
  readonly isBusy: (modelId: ModelId) => boolean;
  readonly onPublished: (file: ColdFile) => void;
  readonly emit: Emit;
}): FilePublisher {
  const waiting = new Map<ModelId, Set<ColdFile>>();
  const working = new Map<ModelId, Promise<void>>();

  const publish = async (modelId: ModelId): Promise<void> => {
    for (;;) {
      const [first, ...others] = waiting.get(modelId) ?? [];
      if (first === undefined || isBusy(modelId)) return;
      if (!(await store.has(modelId))) return void waiting.delete(modelId);
      // All files of one commit together.
      const files = [first, ...others.filter(({ listing }) => listing.commit === first.listing.commit)];
      for (const file of files) waiting.get(modelId)?.delete(file);
      const { commit, files: listed, about } = first.listing;
      await store.extend({
        modelId,
        upstream: { repo: modelId, commit, files: listed, ...(about !== undefined && { restricted: about.isRestricted }) },
        files: files.flatMap(({ file, partial, digest }) =>
          digest === undefined || partial.isHandedOver()
            ? []
            : [
                {
                  file: { path: file.path, size: digest.size, sha256: digest.sha256, ...chunksOf(digest), hub_id: partial.id.value },
                  from: partial.path(),
                },
              ],
        ),
      });
      for (const file of files) onPublished(file);
    }
  };
  const start = (modelId: ModelId): void => {
    if (working.has(modelId)) return;
    const work = publish(modelId)
      .catch((error: unknown) => {
        // Files that do not fit to the existing ones stay, and are served from the work directory.
        if (!(error instanceof SkulkError))
          emit({ type: 'warning', message: describeFailure(`files of ${modelId} could not be put into the store`, error) });
      })
      .finally(() => working.delete(modelId));
    working.set(modelId, work);
  };
  return {
    add: (file) => {
      if (withDownload.has(kindOf(file.file.path))) return;
      waiting.set(file.modelId, (waiting.get(file.modelId) ?? new Set()).add(file));
      start(file.modelId);
    },
    retry: start,
    settled: async (modelId) => working.get(modelId),
  };
}

const chunksOf = ({ chunks }: NonNullable<ColdFile['digest']>) => (chunks === undefined ? {} : { chunks });
