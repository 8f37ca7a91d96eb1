import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';
import type { ByteRange } from '../../store/contract.ts';
import type { OpenFile } from '../../store/local-store.ts';
import type { BufferPool } from './buffer-pool.ts';

/** Where and how to send bytes. */
export interface SendOptions {
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly pool: BufferPool;
  /** A client that reads no byte for this long is disconnected. */
  readonly stallTimeoutMs: number;
  /** Writes the headers; called once, when the first bytes are available. */
  readonly begin: () => void;
  /** Called with the number of bytes that the client has taken since the last call. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/**
 * Sends a range of an open file: reads into a pooled buffer, writes it, and reads the next one in the meantime. It uses no streams,
 * because allocating and copying cost more than the system calls.
 * @throws SkulkError INTEGRITY if the file is shorter than announced (the socket is destroyed if the headers have been sent); INTERRUPTED
 * if the client has gone or reads nothing
 */
export async function sendFile({ handle }: Pick<OpenFile, 'handle'>, { start, end }: ByteRange, options: SendOptions): Promise<void> {
  const { socket, response, pool, stallTimeoutMs, begin, onSent } = options;
  let isWriting = false;
  let gone: SkulkError | undefined;
  let wakeUp: (() => void) | undefined;
  const leave = (why: string): void => {
    gone ??= new SkulkError('INTERRUPTED', why);
    wakeUp?.();
  };
  const onClose = (): void => leave('the client disconnected');
  // Every byte that the client reads resets the socket's timer. The timer also fires during a read from a slow disk.
  const onStall = (): void => {
    if (!isWriting) return;
    leave(`the client read nothing for ${stallTimeoutMs / 1000} s`);
    socket.destroy();
  };

  const write = async (buffer: Buffer, length: number): Promise<void> => {
    isWriting = true;
    try {
      await new Promise<void>((resolve) => {
        // A response that waits behind another on its connection never calls back after that connection was closed.
        wakeUp = resolve;
        if (gone !== undefined) return resolve();
        response.write(buffer.subarray(0, length), (error) => {
          if (error) gone ??= new SkulkError('INTERRUPTED', 'the client disconnected', { cause: error });
          else onSent?.(length);
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
    // Ending before the last write has called back sends a small file together with its headers in one system call.
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
