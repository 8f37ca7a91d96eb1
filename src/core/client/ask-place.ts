import { SkulkError } from '../kernel/errors.ts';
import { type FoundPlace, foundPlace } from '../protocol/models/adoption.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { Store } from '../store/contract.ts';
import type { Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

/** A model may have 50,000 files. */
const maxBytes = 64 * 1024 * 1024;

/** See `Store.findPlace`. */
export async function askPlace(
  exchange: Exchange,
  { modelId, ...body }: Parameters<Store['findPlace']>[0],
): Promise<FoundPlace | undefined> {
  const { url } = exchange;
  const call = { ...callOf('POST /models/:id/place', { id: modelId }), json: body };
  try {
    const answer = await refuseForOther(exchange, 'accept models', () =>
      exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog })),
    );
    return readAnswer(foundPlace, answer, { url, why: 'it does not report what it has under that id' });
  } catch (error) {
    if (error instanceof SkulkError && answersOfOlder.has(error.code)) return undefined;
    throw error;
  }
}

/** A store without this route takes its URL for that of a file, which only GET may request. */
const answersOfOlder: ReadonlySet<string> = new Set(['NOT_FOUND', 'MODEL_NOT_FOUND', 'BAD_REQUEST']);
