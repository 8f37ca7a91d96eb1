import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { mapConcurrently } from '../kernel/flow/concurrency.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { bencode } from './bencode.ts';

/** The content of one model, as BitTorrent describes it. */
export interface Metainfo {
  /** The content of a `.torrent` file without a tracker; a member adds the URL of its own. */
  readonly torrent: Buffer;
  /** The 20 bytes that name it. */
  readonly infoHash: Buffer;
}

/** The length of a sha1, in bytes. */
const sha1Length = 20;
const mebibyte = 1024 * 1024;
/** Pieces per job, so that a thread is soon free for others. */
const piecesPerJob = 64;

type Content = Pick<Manifest, 'digest' | 'files'>;

/** The files that a swarm transfers, in the order of the manifest. An empty file has no bytes that a peer could send. */
export const swarmFiles = ({ files }: Pick<Manifest, 'files'>): Manifest['files'] => files.filter(({ size }) => size > 0);

/** The length of a piece, in bytes: few enough pieces for a small description, enough of them to share. */
export function pieceLengthFor(bytes: number): number {
  if (bytes <= 1024 * mebibyte) return mebibyte / 4;
  if (bytes <= 4 * 1024 * mebibyte) return mebibyte;
  return bytes <= 64 * 1024 * mebibyte ? 4 * mebibyte : 16 * mebibyte;
}

const bytesOf = (content: Content): number => swarmFiles(content).reduce((sum, { size }) => sum + size, 0);

/**
 * The description of a model. It is private (BEP 27): peers learn of each other only from the tracker. Its files have numbers instead of
 * names, because each member decides by itself where a file goes.
 * @param pieces the sha1 of each piece, one after the other
 */
function describe(content: Content, pieces: Uint8Array): Metainfo {
  const info = {
    files: swarmFiles(content).map(({ size }, index) => ({ length: size, path: [String(index)] })),
    name: content.digest,
    'piece length': pieceLengthFor(bytesOf(content)),
    pieces,
    private: 1,
  };
  return { torrent: bencode({ info }), infoHash: createHash('sha1').update(bencode(info)).digest() };
}

/**
 * Reads the files of a model on the hashing threads and describes them.
 * @param directory of the files
 * @throws the file system's error, also for a file that is shorter than in the manifest; the signal's reason
 */
export async function makeMetainfo(content: Content, directory: string, signal: AbortSignal): Promise<Metainfo> {
  const files = swarmFiles(content).map(({ path, size }) => ({ path: join(directory, path), size }));
  const pieceLength = pieceLengthFor(bytesOf(content));
  const count = Math.ceil(bytesOf(content) / pieceLength);
  const starts = Array.from({ length: Math.ceil(count / piecesPerJob) }, (_, index) => index * piecesPerJob);
  const pieces = await mapConcurrently(starts, availableParallelism(), (from) =>
    runHashJob({ kind: 'pieces', files, pieceLength, from, to: Math.min(count, from + piecesPerJob) }, { signal }),
  );
  return describe(content, Buffer.concat(pieces));
}

/** The description in the bytes of a kept file; undefined if they do not describe this model. */
export function readMetainfo(content: Content, bytes: Uint8Array): Metainfo | undefined {
  const length = Math.ceil(bytesOf(content) / pieceLengthFor(bytesOf(content))) * sha1Length;
  const end = bytes.length - '7:privatei1eee'.length;
  if (end < length) return undefined;
  // Everything but the sha1 values follows from the manifest.
  const read = describe(content, bytes.subarray(end - length, end));
  return read.torrent.equals(bytes) ? read : undefined;
}
