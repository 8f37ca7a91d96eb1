import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { within } from './waiting.ts';

/** A reader that has the head of an answer, and reads the bytes when the test starts it. */
export interface HeldReader {
  /** Reads to the end, or until the connection is cut. */
  readonly end: () => Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }>;
}

/** Requests a URL. A file of some 20 MiB is larger than the buffers of a connection, so its transfer stops until the bytes are read. */
export async function heldReader(url: string): Promise<HeldReader> {
  const [answer] = (await within('the head of an answer', once(get(url, { agent: false }), 'response'))) as [IncomingMessage];
  const read = async (): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> => {
    const parts: Buffer[] = [];
    try {
      for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
    } catch {
      return { bytes: Buffer.concat(parts), isWhole: false };
    }
    return { bytes: Buffer.concat(parts), isWhole: true };
  };
  return { end: () => within('the end of an answer', read()) };
}
