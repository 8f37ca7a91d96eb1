import { SkulkError } from '../../kernel/errors.ts';
import { notAStore } from './map-failure.ts';
import type { Response } from './transport.ts';
import type { Watchdog } from './watchdog.ts';

/** The chunks of an answer. Only silence between them is limited, not the consumer's own time. */
export async function* chunksOf({ body }: Response, watchdog: Watchdog): AsyncGenerator<Buffer> {
  if (body === null) return;
  watchdog.expect();
  for await (const chunk of body) {
    watchdog.rest();
    yield chunk as Buffer;
    watchdog.expect();
  }
  watchdog.rest();
}

/**
 * Parses a JSON answer.
 * @throws SkulkError STORE_UNREACHABLE if it is not JSON, INTEGRITY if it has more than `limit` bytes, because another request would not
 * make it shorter
 */
export async function readJson(
  response: Response,
  { url, limit, watchdog }: { url: string; limit: number; watchdog: Watchdog },
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, watchdog)) {
    size += chunk.length;
    if (size > limit) {
      throw new SkulkError('INTEGRITY', `the store at ${url} answered with more than ${limit} bytes`, {
        hint: 'check that this is the right store',
      });
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw notAStore(url, 'its answer is not JSON', cause);
  }
}

/**
 * Parses an answer of JSON lines.
 * @throws SkulkError STORE_UNREACHABLE if a line is not JSON or longer than `limit` bytes
 */
export async function* readLines(
  response: Response,
  { url, limit, watchdog }: { url: string; limit: number; watchdog: Watchdog },
): AsyncGenerator<unknown> {
  for await (const { bytes, isWhole } of linesOf(response, { url, limit, watchdog })) {
    if (!isWhole)
      throw new SkulkError('STORE_UNREACHABLE', `the answer of the store at ${url} ended too early`, {
        hint: 'run the command again',
      });
    if (bytes.length > 0) yield parseLine(bytes, url);
  }
}

/**
 * The lines of an answer as bytes, without their line ends; the last one may lack it.
 * @throws SkulkError STORE_UNREACHABLE if a line is longer than `limit` bytes
 */
async function* linesOf(
  response: Response,
  { url, limit, watchdog }: { url: string; limit: number; watchdog: Watchdog },
): AsyncGenerator<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, watchdog)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const bytes = Buffer.concat([...chunks, chunk.subarray(start, end)]);
      [chunks, size, start] = [[], 0, end + 1];
      yield { bytes, isWhole: true };
    }
    size += chunk.length - start;
    if (size > limit) throw notAStore(url, `a line of its answer has more than ${limit} bytes`);
    if (start < chunk.length) chunks.push(chunk.subarray(start));
  }
  if (size > 0) yield { bytes: Buffer.concat(chunks), isWhole: false };
}

function parseLine(line: Buffer, url: string): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw notAStore(url, 'a line of its answer is not JSON', cause);
  }
}
