import type { Response } from './fetch.ts';
import { notAStore } from './map-failure.ts';
import { linesOf } from './read-body.ts';
import type { Watchdog } from './watchdog.ts';

/** One event of a stream; its data is whatever stood in it as JSON. */
export interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
}

/**
 * The events of an answer that is Server-Sent Events (WHATWG HTML, 9.2.6). The store ends its lines with LF and writes the data of an
 * event on one line; ids and retry times are not used. An event that was cut off is none.
 * @throws SkulkError STORE_UNREACHABLE when data is not JSON or longer than `limit` bytes
 */
export async function* readEvents(
  response: Response,
  { url, limit, watchdog }: { url: string; limit: number; watchdog: Watchdog },
): AsyncGenerator<StreamEvent> {
  let name = '';
  let data: string | undefined;
  for await (const { bytes, isWhole } of linesOf(response, { url, limit, watchdog })) {
    const line = bytes.toString('utf8');
    if (line.startsWith('event:')) name = line.slice('event:'.length).trim();
    else if (line.startsWith('data:')) data = line.slice('data:'.length);
    else if (line === '' && isWhole) {
      if (data !== undefined) yield { name, data: parse(data, url) };
      name = '';
      data = undefined;
    }
  }
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notAStore(url, 'what it tells is not JSON', cause);
  }
}
