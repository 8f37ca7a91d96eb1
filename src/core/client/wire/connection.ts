import { connect as connectTcp, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { createHeadCollector } from './head-collector.ts';
import { type ResponseHead, UnreadableResponse } from './response-head.ts';

/** Consumes bytes of a body. They are overwritten after it has returned, or after the returned promise has settled. */
export type BodySink = (bytes: Buffer) => Promise<void> | undefined;

/** Selects the consumer of a body after the headers have arrived; throws for a body of unknown length. */
export type OnHead = (head: ResponseHead) => BodySink;

/** One connection to a store. Answers come in the order of the requests. */
export interface WireConnection {
  /** False if it cannot be used for another request. */
  readonly isUsable: boolean;
  /** Sends the headers of a request. */
  send(head: string): void;
  /** Reads the next answer to its end. Rejects with the connection's error, or with an error of `onHead` or its sink; then it is closed. */
  receive(onHead: OnHead): Promise<void>;
  close(): void;
}

/** Where to connect and how long to wait, in milliseconds. */
export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly lookup?: LookupFunction | undefined;
  readonly connectTimeoutMs: number;
  /** How long nothing may arrive. */
  readonly stallTimeoutMs: number;
  /** The single read buffer. */
  readonly buffer: Buffer;
}

/** Nothing arrived for too long. */
export class Stalled extends Error {}

interface Reading {
  readonly onHead: OnHead;
  readonly settle: (error?: unknown) => void;
  /** When it started to wait for the headers, in milliseconds. */
  readonly since: number;
  sink: BodySink | undefined;
  head: ResponseHead | undefined;
  left: number;
}

/**
 * Opens a connection. It uses no streams: the system writes bytes into one buffer, and they are passed on before the next ones are read.
 */
export function openWire(options: WireOptions): WireConnection {
  const { buffer, stallTimeoutMs, connectTimeoutMs } = options;
  const collector = createHeadCollector();
  let reading: Reading | undefined;
  let failure: unknown;
  let isUsable = true;
  /** Bytes that were read and not yet passed on. */
  let [at, end] = [0, 0];
  /** Whether the consumer is still processing bytes, or wants no more. */
  let isHeld = false;

  const fail = (error: unknown): void => {
    failure ??= error;
    isUsable = false;
    socket.destroy();
    const { settle } = reading ?? {};
    reading = undefined;
    settle?.(failure);
  };
  /** After a process was suspended, its timers are due before it has read the arrived data. So the data is processed first. */
  const afterReading = (check: () => void): void => void setImmediate(check);
  const failWithoutHead = (late: Reading): void =>
    afterReading(() => {
      if (reading === late && late.head === undefined) fail(new Stalled('its headers took too long'));
    });
  const finish = (): void => {
    const done = reading;
    reading = undefined;
    if (done?.head?.isKept === false) isUsable = false;
    done?.settle();
  };
  /** Passes on the available bytes. @returns whether the buffer may be filled again */
  const handOn = (): boolean => {
    while (at < end) {
      if (reading === undefined) return false;
      if (reading.sink === undefined) {
        const found = collector.take(buffer, at, end);
        at = found?.bodyStart ?? end;
        if (found === undefined) {
          // Headers that arrive byte by byte are never silent, but never complete.
          if (performance.now() - reading.since > stallTimeoutMs) failWithoutHead(reading);
          continue;
        }
        reading.head = found.head;
        reading.sink = reading.onHead(found.head);
        reading.left = found.head.length ?? 0;
      } else {
        const part = buffer.subarray(at, Math.min(end, at + reading.left));
        at += part.length;
        reading.left -= part.length;
        const work = reading.sink(part);
        if (work !== undefined) {
          work.then(goOn, fail);
          return false;
        }
      }
      if (reading?.sink !== undefined && reading.left === 0) finish();
    }
    return true;
  };
  const goOn = (): void => {
    if (failure !== undefined) return;
    isHeld = false;
    try {
      if (reading?.sink !== undefined && reading.left === 0) finish();
      isHeld = !handOn();
      if (!isHeld) socket.resume();
    } catch (error) {
      fail(error);
    }
  };
  const onRead = (bytes: number): boolean => {
    [at, end] = [0, bytes];
    try {
      isHeld = !handOn();
    } catch (error) {
      fail(error);
    }
    return !isHeld;
  };

  const socket = connect(options, { buffer, callback: onRead });
  socket.setNoDelay(true);
  const stopConnecting = startDeadline(
    () => fail(Object.assign(new Error(`no connection within ${connectTimeoutMs / 1000} s`), { code: 'ETIMEDOUT' })),
    connectTimeoutMs,
  );
  socket.once(options.isTls ? 'secureConnect' : 'connect', () => {
    stopConnecting();
    socket.setTimeout(stallTimeoutMs);
  });
  socket.on('timeout', () => {
    const { bytesRead } = socket;
    afterReading(() => {
      // The consumer's own time does not count. The timer fires only once, so it is set again.
      if (isHeld || reading === undefined || socket.bytesRead !== bytesRead) socket.setTimeout(stallTimeoutMs);
      else fail(new Stalled(`no data for ${stallTimeoutMs / 1000} s`));
    });
  });
  socket.on('error', fail);
  socket.once('close', () => {
    stopConnecting();
    fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  });

  return {
    get isUsable() {
      return isUsable;
    },
    send: (head) => void socket.write(head, 'latin1'),
    receive: (onHead) =>
      new Promise<void>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        if (reading !== undefined) throw new Error('an answer is being read already');
        reading = {
          onHead,
          settle: (error) => (error === undefined ? resolve() : reject(error)),
          since: performance.now(),
          sink: undefined,
          head: undefined,
          left: 0,
        };
        goOn();
      }),
    close: () => fail(new UnreadableResponse('the connection was closed here')),
  };
}

function connect({ host, port, isTls, lookup }: WireOptions, onread: OnReadOpts): Socket {
  const where = { host, port, onread, ...(lookup !== undefined && { lookup }) };
  if (!isTls) return connectTcp(where);
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  const { isIP } = process.getBuiltinModule('node:net');
  return connectTls({ ...where, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 && { servername: host }) } as never);
}
