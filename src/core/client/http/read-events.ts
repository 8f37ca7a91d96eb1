import { createEventParser } from '../../kernel/flow/event-parser.ts';
import { notAStore } from './map-failure.ts';
import { chunksOf } from './read-body.ts';
import type { Response } from './transport.ts';
import type { Watchdog } from './watchdog.ts';

/** One event of a stream, with its JSON data. */
export interface StoreEvent {
  readonly name: string;
  readonly data: unknown;
}

/**
 * Parses an answer of Server-Sent Events.
 * @param limit the maximum number of characters in a line
 * @throws SkulkError STORE_UNREACHABLE if data is not JSON, or a line is longer than `limit`
 */
export async function* readEvents(
  response: Response,
  { url, limit, watchdog }: { url: string; limit: number; watchdog: Watchdog },
): AsyncGenerator<StoreEvent> {
  const decoder = new TextDecoder();
  const parse = createEventParser({ maxLineLength: limit });
  for await (const chunk of chunksOf(response, watchdog)) {
    for (const { name, data } of parseOrRefuse(() => parse(decoder.decode(chunk, { stream: true })), url))
      yield { name, data: parseOrRefuse((): unknown => JSON.parse(data), url) };
  }
}

function parseOrRefuse<T>(parse: () => T, url: string): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof RangeError) throw notAStore(url, cause.message, cause);
    throw notAStore(url, 'the data of an event is not JSON', cause);
  }
}
