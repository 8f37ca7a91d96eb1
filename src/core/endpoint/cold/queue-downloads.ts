import { type KindFile, kindsOfFiles } from '../../catalog/selection/file-kind.ts';
import { listGroups } from '../../catalog/selection/groups.ts';
import { selectFiles } from '../../catalog/selection/select-files.ts';
import type { DownloadRequest, Downloads } from '../../jobs/contract.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Listing, SourceFile } from '../../sources/source.ts';
import type { HubRepo } from '../contract.ts';

/** Whole models that Hub clients have begun to read. */
export interface ColdDownloads {
  /** Requests a download of a file's model, unless it is complete already, or no download includes the file. Never rejects. */
  queue(wanted: WantedDownload, onFailure: (error: unknown) => void): void;
  /** Starts to watch for the end of downloads. */
  watch(): void;
}

/** A download, and the file that caused it. */
export interface WantedDownload {
  readonly request: DownloadRequest;
  readonly path: string;
}

/**
 * The download for a request of a weight file: the default selection of the model's files, including that file; for GGUF files that
 * quantization. Undefined if no rule includes the file: then it is fetched separately. Pure.
 * @param repo the same listing, with what the store knows about the content of its files
 */
export function planColdDownload(
  { modelId, commit, files: listed }: Listing,
  path: string,
  repo: Pick<HubRepo, 'byPath'>,
): (WantedDownload & { readonly files: readonly SourceFile[] }) | undefined {
  const files = listed.map((file): SourceFile & KindFile => ({ ...file, gguf_kind: repo.byPath.get(file.path)?.gguf_kind }));
  const kinds = kindsOfFiles(files);
  const group =
    kinds.get(path) === 'gguf' ? listGroups(files, kinds).find((one) => one.files.some((file) => file.path === path)) : undefined;
  const selection = selectFiles(files, { modelId, ...(group !== undefined && { selector: group.ggufFile }) });
  const taken = selection.taken.map(({ file }) => file);
  if (selection.problem !== undefined || !taken.some((file) => file.path === path)) return undefined;
  const request = { modelId, revision: commit, ...(group !== undefined && { ggufFile: group.ggufFile, exact: true }) };
  return { request, path, files: taken };
}

/** The used part of the download queue. */
export type QueueOfDownloads = Pick<Downloads, 'ask'> & {
  isActive(modelId: ModelId): boolean;
  subscribe(listener: (job: { readonly modelId: ModelId; readonly status: string }) => void): () => void;
};

/**
 * Nothing is queued yet.
 * @param onOver called when no download of a model is left
 */
export function createColdDownloads(
  downloads: () => QueueOfDownloads,
  { emit, onOver }: { readonly emit: Emit; readonly onOver: (modelId: ModelId) => void },
): ColdDownloads {
  const asked = new Set<string>();
  let isSubscribed = false;
  const subscribe = (): void => {
    if (isSubscribed) return;
    isSubscribed = true;
    downloads().subscribe(({ modelId, status }) => {
      if (status === 'pending' || status === 'running' || downloads().isActive(modelId)) return;
      for (const key of asked) if (key.startsWith(`${modelId}\n`)) asked.delete(key);
      onOver(modelId);
    });
  };
  return {
    watch: subscribe,
    queue: ({ request, path }, onFailure) => {
      const { modelId } = request;
      const key = `${modelId}\n${JSON.stringify(request)}`;
      subscribe();
      if (asked.has(key)) return;
      asked.add(key);
      downloads()
        .ask(request)
        .then(({ status }) => {
          if (status !== 'complete') return;
          asked.delete(key);
          onOver(modelId);
        })
        .catch((error: unknown) => {
          asked.delete(key);
          emit({ type: 'note', message: describeFailure(`${modelId} is not downloaded as a whole because of ${path}`, error) });
          onFailure(error);
        });
    },
  };
}
