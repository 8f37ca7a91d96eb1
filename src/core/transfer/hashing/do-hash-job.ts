import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { systemCode } from '../../kernel/errors.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { ExpectedPiece, FileDigest, HashJob, HashReply, HashRequest } from './hash-job.ts';

// One reused buffer for synchronous reading, hashing and writing: this thread has nothing else to do.
const buffer = Buffer.allocUnsafe(1024 * 1024);

class Cancelled extends Error {}

/** Does a job of the pool on this thread. */
export function doHashJob({ id, job, cancelled }: HashRequest, reply: (message: HashReply) => void): void {
  const report = (done: number): void => {
    if (Atomics.load(cancelled, 0) !== 0) throw new Cancelled();
    reply({ id, type: 'bytes', done });
  };
  try {
    reply({ id, type: 'result', result: work(job, report) });
  } catch (error) {
    if (error instanceof Cancelled) reply({ id, type: 'cancelled' });
    else reply({ id, type: 'error', message: error instanceof Error ? error.message : String(error), code: systemCode(error) });
  }
}

function work(job: HashJob, report: (done: number) => void): FileDigest | Sha256 | Uint8Array | boolean[] {
  if (job.kind === 'check') return check(job.path, job.pieces, report);
  if (job.kind === 'pieces') return hashPieces(job, report);
  return job.kind === 'range' ? hashRange(job) : digest(job, report);
}

function hashRange({ path, start, end }: Extract<HashJob, { kind: 'range' }>): Sha256 {
  const file = openSync(path, 'r');
  const hash = createHash('sha256');
  try {
    for (let at = start; at < end; ) {
      const length = readSync(file, buffer, 0, Math.min(buffer.length, end - at), at);
      if (length === 0) throw Object.assign(new Error(`it ends at byte ${at}, before byte ${end}`), { code: 'EIO' });
      hash.update(buffer.subarray(0, length));
      at += length;
    }
    return finish(hash);
  } finally {
    closeSync(file);
  }
}

function digest(
  job: { kind: 'digest'; path: string; withGitId?: boolean } | { kind: 'copy'; from: string; to: string },
  report: (done: number) => void,
): FileDigest {
  const source = openSync(job.kind === 'digest' ? job.path : job.from, 'r');
  try {
    if (!fstatSync(source).isFile()) throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' });
    const { size } = fstatSync(source);
    const withGitId = size <= chunkSize || (job.kind === 'digest' && job.withGitId === true);
    const git = withGitId ? createHash('sha1').update(`blob ${size}\0`) : undefined;
    if (job.kind === 'digest') return digestInto(source, undefined, report, git);
    const target = openSync(job.to, 'wx');
    try {
      const result = digestInto(source, target, report, git);
      fsyncSync(target);
      return result;
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function digestInto(source: number, target: number | undefined, report: (done: number) => void, git?: Hash): FileDigest {
  const whole = createHash('sha256');
  const chunks: Sha256[] = [];
  let chunk = createHash('sha256');
  let size = 0;
  for (;;) {
    // A read never crosses the end of a chunk, because chunks are a multiple of the buffer.
    const length = readSync(source, buffer, 0, Math.min(buffer.length, chunkSize - (size % chunkSize)), size);
    if (length === 0) break;
    const bytes = buffer.subarray(0, length);
    whole.update(bytes);
    chunk.update(bytes);
    git?.update(bytes);
    if (target !== undefined) writeFully(target, bytes, size);
    size += length;
    if (size % chunkSize === 0) {
      chunks.push(finish(chunk));
      chunk = createHash('sha256');
      report(size);
    }
  }
  if (size % chunkSize !== 0) chunks.push(finish(chunk));
  report(size);
  return { size, sha256: finish(whole), ...(size > chunkSize && { chunks }), ...(git !== undefined && { gitId: git.digest('hex') }) };
}

function writeFully(target: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(target, bytes, written, bytes.length - written, position + written);
}

function check(path: string, pieces: readonly ExpectedPiece[], report: (done: number) => void): boolean[] {
  const file = openSync(path, 'r');
  let done = 0;
  try {
    return pieces.map(({ start, end, sha256 }) => {
      const hash = createHash('sha256');
      let at = start;
      while (at < end) {
        const length = readSync(file, buffer, 0, Math.min(buffer.length, end - at), at);
        if (length === 0) break;
        hash.update(buffer.subarray(0, length));
        at += length;
      }
      done += end - start;
      report(done);
      return at === end && finish(hash) === sha256;
    });
  } finally {
    closeSync(file);
  }
}

function hashPieces({ files, pieceLength, from, to }: Extract<HashJob, { kind: 'pieces' }>, report: (done: number) => void): Uint8Array {
  const digests: Buffer[] = [];
  const last = Math.min(
    files.reduce((sum, { size }) => sum + size, 0),
    to * pieceLength,
  );
  let at = from * pieceLength;
  let hash = createHash('sha1');
  let start = 0;
  for (const { path, size } of files) {
    const end = Math.min(start + size, last);
    if (at < end) {
      const file = openSync(path, 'r');
      try {
        while (at < end) {
          const length = readSync(file, buffer, 0, Math.min(buffer.length, pieceLength - (at % pieceLength), end - at), at - start);
          if (length === 0) throw Object.assign(new Error(`${path} ends at byte ${at - start}, before byte ${size}`), { code: 'EIO' });
          hash.update(buffer.subarray(0, length));
          at += length;
          if (at % pieceLength !== 0 && at !== last) continue;
          digests.push(hash.digest());
          hash = createHash('sha1');
          report(at - from * pieceLength);
        }
      } finally {
        closeSync(file);
      }
    }
    start += size;
  }
  return Buffer.concat(digests);
}

const finish = (hash: Hash): Sha256 => hash.digest('hex') as Sha256;
