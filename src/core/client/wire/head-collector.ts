import { maxHeadBytes, parseResponseHead, type ResponseHead, UnreadableResponse } from './response-head.ts';

/** Collects the bytes of headers, however the network splits them. */
export interface HeadCollector {
  /**
   * Takes bytes, beginning at `start`.
   * @returns the headers and the start of the body; undefined while they are incomplete
   * @throws UnreadableResponse
   */
  take(bytes: Buffer, start: number, end: number): { readonly head: ResponseHead; readonly bodyStart: number } | undefined;
}

const terminator = Buffer.from('\r\n\r\n');

const lineFeed = 10;
const carriageReturn = 13;

/** One collector serves all answers of a connection. */
export function createHeadCollector(): HeadCollector {
  /** The bytes of incomplete headers. Usually headers arrive as a whole, and then nothing is copied. */
  let held: Buffer = Buffer.alloc(0);
  return {
    take: (bytes, start, end) => {
      const fresh = bytes.subarray(start, end);
      // The empty line may be split.
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

/** Data that does not start like HTTP is rejected at once, instead of waiting for its end. */
function refuseNoise(bytes: Buffer): void {
  const begin = 'HTTP/1.1 ';
  const text = bytes.toString('latin1', 0, begin.length);
  if (!begin.startsWith(text)) throw new UnreadableResponse(`it begins with ${JSON.stringify(bytes.toString('latin1', 0, 60))}`);
  // Headers with other line ends would never be complete.
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1))
    if (bytes[at - 1] !== carriageReturn) throw new UnreadableResponse('its lines do not end in CR LF');
}
