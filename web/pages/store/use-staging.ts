import { asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { toSentence } from '../../parts/to-sentence.ts';
import { formatNamed } from './quantizations.ts';

/** Making verified copies on the machine whose page this is. */
export function useStaging(): { readonly stage: (modelId: string, selector?: string) => void; readonly cancel: (modelId: string) => void } {
  const { client, identity, tell } = useApp();
  const ask = async (work: Promise<unknown>, notice: string): Promise<void> => {
    try {
      await work;
      tell(notice);
    } catch (error) {
      tell(toSentence(asApiError(error).message), 'bad');
    }
  };
  return {
    stage: (modelId, selector) =>
      void ask(
        client.send(callOf('POST /node/stage', {}), { model_id: modelId, ...(selector !== undefined && { selector }) }),
        `${formatNamed({ modelId, selector })} is being staged on ${identity.hostname}.`,
      ),
    cancel: (modelId) => void ask(client.send(callOf('DELETE /node/stage/:id', { id: modelId })), `Staging ${modelId} was stopped.`),
  };
}
