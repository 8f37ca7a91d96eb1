import type { HubOffer } from '../../../../src/core/protocol/models.ts';
import { ApiError } from '../../../api/api-error.ts';
import { callOf } from '../../../api/call.ts';
import type { Client } from '../../../api/client.ts';
import { splitRef } from '../../../api/model-ref.ts';

/** What Hugging Face has of a model that somebody named. */
export interface Found {
  readonly offer: HubOffer;
  /** The file of the quantization that was named. */
  readonly named?: string | undefined;
  /** Why what was named is not there, and what there is. */
  readonly refusal?: ApiError;
}

/** Which files are asked about. */
export interface Asked {
  readonly modelId: string;
  readonly revision: string | undefined;
  /** The fields of a download; with them the answer has a plan. */
  readonly wanted?: object;
}

/** What a download would bring. Throws an ApiError. */
export const askOffer = (client: Client, { modelId, revision, wanted }: Asked, signal: AbortSignal): Promise<HubOffer> => {
  const query = { revision, wanted: wanted && JSON.stringify(wanted), kept: true };
  return client.get<HubOffer>(callOf('GET /store/hub/:id', { id: modelId }, query), signal);
};

/** Looks up what was typed or pasted. A selector that names nothing is reported beside the choices. Throws an ApiError. */
export async function lookUp(client: Client, text: string, signal: AbortSignal): Promise<Found> {
  const { modelId, revision, selector } = splitRef(text);
  if (selector === undefined) return { offer: await askOffer(client, { modelId, revision }, signal) };
  try {
    const offer = await askOffer(client, { modelId, revision, wanted: { selector } }, signal);
    return { offer, named: offer.plan?.gguf_file ?? undefined };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'FILE_NOT_FOUND') throw error;
    return { offer: await askOffer(client, { modelId, revision }, signal), refusal: error };
  }
}
