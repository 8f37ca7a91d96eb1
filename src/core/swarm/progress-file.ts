import { createHash } from 'node:crypto';

/** A part of the content of a torrent, whose files follow each other without a gap; `end` is exclusive. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The file in which aria2 keeps its progress, version 1 (https://aria2.github.io/manual/en/html/technical-notes.html). If it is there, aria2
 * does not read the content when it starts. It would hash a file of 40 GB for a minute, also one that is still empty.
 * @param torrent made by `makeMetainfo`
 * @param size of the whole content, in bytes
 * @param absent the parts that are not here
 */
export function makeProgressFile(
  torrent: Uint8Array,
  { size, absent }: { readonly size: number; readonly absent: readonly ContentRange[] },
): Buffer {
  const info = Buffer.from(torrent).subarray('d4:info'.length, -1);
  const infoHash = createHash('sha1').update(info).digest();
  const pieceLength = Number(/12:piece lengthi(\d+)e/.exec(info.toString('latin1'))?.[1]);
  if (!(pieceLength > 0)) throw new Error('the description of the model has no length of pieces');
  const count = Math.ceil(size / pieceLength);
  const here = new Uint8Array(count).fill(1);
  for (const { start, end } of absent) if (end > start) here.fill(0, Math.floor(start / pieceLength), Math.ceil(end / pieceLength));
  const bits = Buffer.alloc(Math.ceil(count / 8));
  for (const [index, isHere] of here.entries()) if (isHere === 1) bits[index >> 3] = (bits[index >> 3] ?? 0) | (0x80 >> (index & 7));
  const version = Buffer.from([0, 1]);
  // Of a torrent: the file is only valid for this info hash.
  const extension = uint32(1);
  const [sent, inFlight] = [uint64(0), uint32(0)];
  return Buffer.concat([
    version,
    extension,
    uint32(infoHash.length),
    infoHash,
    uint32(pieceLength),
    uint64(size),
    sent,
    uint32(bits.length),
    bits,
    inFlight,
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
