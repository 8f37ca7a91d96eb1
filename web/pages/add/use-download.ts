import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { type Task, useTask } from '../../parts/use-task.ts';
import { rememberAsked } from '../store/moving/troubles.ts';

/** Starting downloads of a model. */
export interface Download extends Pick<Task<unknown>, 'isBusy' | 'error'> {
  /** Starts one download for each file to load, or one of the whole model without any. Returns the files whose downloads did not start. */
  readonly begin: (files: readonly string[]) => Promise<readonly string[]>;
}

/** Starts downloads of a model from Hugging Face, one after the other; the first that is refused is the last. */
export function useDownload(modelId: string, revision: string | undefined): Download {
  const { client } = useApp();
  const { isBusy, error, change } = useTask<unknown>();
  return {
    isBusy,
    error,
    begin: async (files) => {
      const left = new Set(files);
      await change(async () => {
        const send = (part: object): Promise<unknown> =>
          client.send(callOf('POST /store/models/:id/download', { id: modelId }), { ...(revision !== undefined && { revision }), ...part });
        rememberAsked(modelId);
        if (files.length === 0) await send({});
        for (const file of files) {
          await send({ gguf_file: file, exact: true });
          left.delete(file);
        }
      });
      return [...left];
    },
  };
}
