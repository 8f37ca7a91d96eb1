import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { chunkSize } from '../../kernel/chunk-size.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import { blockSize } from '../file-blocks.ts';
import type { ArrivalReply, ArrivalRequest } from './arrival-message.ts';

/** The state of one file's hash. */
interface Running {
  readonly whole: Hash;
  readonly git: Hash | undefined;
  readonly chunks: Sha256[];
  readonly size: number;
  at: number;
  chunk: Hash;
  block: Hash | undefined;
}

const files = new Map<number, Running>();
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

type Reply = (message: ArrivalReply) => void;

/** Hashes files on this thread while they arrive, by one request after the other. */
export function hashArrivals(request: ArrivalRequest, reply: Reply): void {
  try {
    work(request, reply);
  } catch {
    files.delete(request.id);
    reply({ type: 'failed', id: request.id });
  }
}

function work(request: ArrivalRequest, reply: Reply): void {
  const { id, type } = request;
  const file = files.get(id);
  if (type === 'open') files.set(id, begin(request));
  else if (type === 'drop') files.delete(id);
  // A missing file has failed, and the failure was reported.
  else if (file === undefined) return;
  else if (type === 'bytes') {
    const { bytes } = request;
    const { length } = bytes;
    take(file, bytes, id, reply);
    // Frees the bytes at once, instead of at the next garbage collection.
    (bytes.buffer as ArrayBuffer).transfer(0);
    reply({ type: 'took', id, bytes: length });
  } else if (type === 'read') {
    read(file, request, reply);
    reply({ type: 'took', id, bytes: request.end - request.start });
  } else {
    files.delete(id);
    if (file.at !== file.size) throw new Error('it has not all arrived');
    reply({ type: 'digest', id, digest: digestOf(file) });
  }
}

function begin({ size, withGitId, withBlocks }: Extract<ArrivalRequest, { type: 'open' }>): Running {
  const git = size <= chunkSize || withGitId ? createHash('sha1').update(`blob ${size}\0`) : undefined;
  const block = withBlocks ? createHash('sha256') : undefined;
  return { whole: createHash('sha256'), git, chunks: [], size, at: 0, chunk: createHash('sha256'), block };
}

function read(file: Running, { id, path, start, end }: Extract<ArrivalRequest, { type: 'read' }>, reply: Reply): void {
  const handle = openSync(path, 'r');
  try {
    for (let at = start; at < end; ) {
      const length = readSync(handle, buffer, 0, Math.min(buffer.length, end - at), at);
      if (length === 0) throw new Error(`it ends at byte ${at}`);
      take(file, buffer.subarray(0, length), id, reply);
      at += length;
    }
  } finally {
    closeSync(handle);
  }
}

function take(file: Running, bytes: Uint8Array, id: number, reply: Reply): void {
  file.whole.update(bytes);
  file.git?.update(bytes);
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, blockSize - (file.at % blockSize));
    const part = bytes.subarray(done, done + length);
    if (file.size > chunkSize) file.chunk.update(part);
    file.block?.update(part);
    done += length;
    file.at += length;
    if (file.at % blockSize === 0 || file.at === file.size) endBlock(file, id, reply);
  }
}

function endBlock(file: Running, id: number, reply: Reply): void {
  if (file.block !== undefined) {
    const start = Math.floor((file.at - 1) / blockSize) * blockSize;
    reply({ type: 'block', id, start, sha256: finish(file.block) });
    file.block = createHash('sha256');
  }
  if (file.size <= chunkSize || (file.at % chunkSize !== 0 && file.at !== file.size)) return;
  file.chunks.push(finish(file.chunk));
  file.chunk = createHash('sha256');
}

const digestOf = ({ size, whole, chunks, git }: Running) => ({
  size,
  sha256: finish(whole),
  ...(size > chunkSize && { chunks }),
  ...(git !== undefined && { gitId: git.digest('hex') }),
});

const finish = (hash: Hash): Sha256 => hash.digest('hex') as Sha256;
