import type { HubOffer } from '../../../src/core/protocol/models/hub-offer.ts';
import { ApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import type { Client } from '../../api/client.ts';
import type { RefParts } from '../../api/model-ref.ts';

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
  readonly revision?: string | undefined;
  /** The fields of a download; with them the answer has a plan. */
  readonly wanted?: object;
  /** Whether the listing of the last download is wanted if Hugging Face cannot be asked. */
  readonly mayBeKept: boolean;
}

/** What a download would bring. Throws an ApiError. */
export const askOffer = (client: Client, { modelId, revision, wanted, mayBeKept }: Asked, signal: AbortSignal): Promise<HubOffer> => {
  const query = { revision, wanted: wanted && JSON.stringify(wanted), ...(mayBeKept && { kept: true }) };
  return client.get<HubOffer>(callOf('GET /store/hub/:id', { id: modelId }, query), signal);
};

/** Looks up what was chosen or named. A selector that names nothing is reported beside the choices. Throws an ApiError. */
export async function lookUp(client: Client, { modelId, revision, selector }: RefParts, signal: AbortSignal): Promise<Found> {
  const asked = { modelId, revision, mayBeKept: true };
  if (selector === undefined) return { offer: await askOffer(client, asked, signal) };
  try {
    const offer = await askOffer(client, { ...asked, wanted: { selector } }, signal);
    return { offer, named: offer.plan?.gguf_file ?? undefined };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'FILE_NOT_FOUND') throw error;
    return { offer: await askOffer(client, asked, signal), refusal: error };
  }
}
