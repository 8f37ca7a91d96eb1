import { maxHeadBytes, parseResponseHead, type ResponseHead, UnreadableResponse } from './response-head.ts';

/** Collects the bytes of a head, wherever the network cuts them. */
export interface HeadCollector {
  /**
   * Takes bytes from `start` on.
   * @returns the head and where its body begins; undefined while its end has not come
   * @throws UnreadableResponse
   */
  take(bytes: Buffer, start: number, end: number): { readonly head: ResponseHead; readonly bodyStart: number } | undefined;
}

const terminator = Buffer.from('\r\n\r\n');

const lineFeed = 10;
const carriageReturn = 13;

/** One is good for all answers of a connection. */
export function createHeadCollector(): HeadCollector {
  /** What came of an unfinished head; usually a head comes whole, and then nothing is copied. */
  let held: Buffer = Buffer.alloc(0);
  return {
    take: (bytes, start, end) => {
      const fresh = bytes.subarray(start, end);
      // The empty line may be cut in two.
      const isWhole = held.length === 0;
      const all = isWhole ? fresh : Buffer.concat([held, fresh.subarray(0, maxHeadBytes + terminator.length)]);
      const at = all.subarray(0, maxHeadBytes + terminator.length).indexOf(terminator);
      if (at === -1) {
        if (all.length > maxHeadBytes) throw new UnreadableResponse(`its headers have more than ${maxHeadBytes} bytes`);
        refuseNoise(all);
        held = isWhole ? Buffer.from(all) : all;
        return undefined;
      }
      const head = parseResponseHead(all.toString('latin1', 0, at));
      const bodyStart = start + at + terminator.length - held.length;
      held = Buffer.alloc(0);
      return { head, bodyStart };
    },
  };
}

/** What does not even begin like HTTP is told at once, and not when its headers never end. */
function refuseNoise(bytes: Buffer): void {
  const begin = 'HTTP/1.1 ';
  const text = bytes.toString('latin1', 0, begin.length);
  if (!begin.startsWith(text)) throw new UnreadableResponse(`it begins with ${JSON.stringify(bytes.toString('latin1', 0, 60))}`);
  // A head whose lines end otherwise would never end.
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1))
    if (bytes[at - 1] !== carriageReturn) throw new UnreadableResponse('its lines do not end in CR LF');
}
