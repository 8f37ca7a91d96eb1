import { connect as connectTcp, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { createHeadCollector } from './head-collector.ts';
import { type ResponseHead, UnreadableResponse } from './response-head.ts';

/** Takes bytes of a body; they are overwritten once it has returned, or once the promise that it returned is settled. */
export type BodySink = (bytes: Buffer) => Promise<void> | undefined;

/** What the body of an answer is for, once its head is there; throws for one that has no known length. */
export type OnHead = (head: ResponseHead) => BodySink;

/** One connection to a store, on which answers come in the order of the requests. */
export interface WireConnection {
  /** False once it cannot be used for another request. */
  readonly isUsable: boolean;
  /** Sends a request head. */
  send(head: string): void;
  /** Reads the next answer to its end. Rejects with what broke the connection, or with what `onHead` or its sink throws; then it is closed. */
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
  /** How long nothing may come. */
  readonly stallTimeoutMs: number;
  /** The one buffer into which everything is read. */
  readonly buffer: Buffer;
}

/** Nothing came for too long. */
export class Stalled extends Error {}

interface Reading {
  readonly onHead: OnHead;
  readonly settle: (error?: unknown) => void;
  /** When its head was first waited for, in milliseconds. */
  readonly since: number;
  sink: BodySink | undefined;
  head: ResponseHead | undefined;
  left: number;
}

/**
 * Opens a connection. There are no streams on the way of the bytes: the system writes them into one buffer, and they are
 * handed on from there before the next ones are read.
 */
export function openWire(options: WireOptions): WireConnection {
  const { buffer, stallTimeoutMs, connectTimeoutMs } = options;
  const collector = createHeadCollector();
  let reading: Reading | undefined;
  let failure: unknown;
  let isUsable = true;
  /** What was read and not yet handed on. */
  let [at, end] = [0, 0];
  /** Whether somebody still works on what was handed on, or nobody wants more. */
  let isHeld = false;

  const fail = (error: unknown): void => {
    failure ??= error;
    isUsable = false;
    socket.destroy();
    const { settle } = reading ?? {};
    reading = undefined;
    settle?.(failure);
  };
  /** A process that was suspended finds its time over before it has read what came, so what has come counts first. */
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
  /** Hands on what is there. @returns whether the buffer may be filled again */
  const handOn = (): boolean => {
    while (at < end) {
      if (reading === undefined) return false;
      if (reading.sink === undefined) {
        const found = collector.take(buffer, at, end);
        at = found?.bodyStart ?? end;
        if (found === undefined) {
          // A head that comes byte by byte is never silent, and never there.
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
      // Time that we take ourselves does not count; the timer fires once only, so it is set anew.
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
