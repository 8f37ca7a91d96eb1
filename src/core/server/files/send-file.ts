import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';
import type { ByteRange, OpenFile } from '../../store/contract.ts';
import type { BufferPool } from './buffer-pool.ts';

/** Where bytes go and how. */
export interface SendOptions {
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly pool: BufferPool;
  /** A client that takes no byte for so long is dropped. */
  readonly stallTimeoutMs: number;
  /** Writes the head of the answer; called once, when the first bytes are there. */
  readonly begin: () => void;
}

/**
 * Sends a range of an open file: read into a pooled buffer, write, and read the next while that one is on its way. No streams: the
 * cost of sending is allocating and copying, not the system calls.
 * @throws SkulkError INTEGRITY when the file is shorter than promised (the socket is destroyed if the head is out);
 *   INTERRUPTED when the client went away or took nothing
 */
export async function sendFile({ handle }: Pick<OpenFile, 'handle'>, { start, end }: ByteRange, options: SendOptions): Promise<void> {
  const { socket, response, pool, stallTimeoutMs, begin } = options;
  let isWriting = false;
  let gone: SkulkError | undefined;
  let wakeUp: (() => void) | undefined;
  const leave = (why: string): void => {
    gone ??= new SkulkError('INTERRUPTED', why);
    wakeUp?.();
  };
  const onClose = (): void => leave('the client disconnected');
  // The socket's timer is set back by every byte that the client takes, and fires while we read from a slow disk as well.
  const onStall = (): void => {
    if (!isWriting) return;
    leave(`the client read nothing for ${stallTimeoutMs / 1000} s`);
    socket.destroy();
  };

  const write = async (buffer: Buffer, length: number): Promise<void> => {
    isWriting = true;
    try {
      await new Promise<void>((resolve) => {
        // A response that waits behind another on its connection never calls back once that connection is closed.
        wakeUp = resolve;
        if (gone !== undefined) return resolve();
        response.write(buffer.subarray(0, length), (error) => {
          if (error) gone ??= new SkulkError('INTERRUPTED', 'the client disconnected', { cause: error });
          resolve();
        });
      });
    } finally {
      isWriting = false;
      wakeUp = undefined;
      pool.give(buffer);
    }
  };

  socket.once('close', onClose);
  if (socket.destroyed) onClose();
  let underWay: Promise<void> | undefined;
  try {
    for (let position = start; position < end; ) {
      const buffer = pool.take(end - position);
      const wanted = Math.min(buffer.length, end - position);
      try {
        await readFully(handle, buffer, wanted, position);
      } catch (error) {
        pool.give(buffer);
        throw error;
      }
      await underWay;
      if (gone !== undefined) {
        pool.give(buffer);
        throw gone;
      }
      if (position === start) {
        begin();
        response.setTimeout(stallTimeoutMs, onStall);
      }
      underWay = write(buffer, wanted);
      position += wanted;
    }
    if (start >= end) begin();
    // Ending before the last write has called back lets a small file leave in one system call with its head.
    response.end();
    await underWay;
    if (gone !== undefined) throw gone;
  } catch (error) {
    await underWay;
    if (response.headersSent) socket.destroy();
    throw error;
  } finally {
    socket.off('close', onClose);
    response.off('timeout', onStall);
  }
}

async function readFully(handle: OpenFile['handle'], buffer: Buffer, length: number, position: number): Promise<void> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) {
      throw new SkulkError('INTEGRITY', `the file ends at byte ${position + done}, but its announced end is byte ${position + length}`, {
        hint: 'run `skulk verify` on the store host',
      });
    }
    done += bytesRead;
  }
}
