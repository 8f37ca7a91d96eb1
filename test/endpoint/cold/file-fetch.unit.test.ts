import { describe, expect, test } from 'vitest';
import { createFileFetch, usualFetchLimits } from '../../../src/core/endpoint/cold/bytes/file-fetch.ts';
import type { FetchLimits } from '../../../src/core/endpoint/cold/bytes/file-fetch-contract.ts';
import { SkulkError } from '../../../src/core/kernel/errors.ts';
import type { ByteRange } from '../../../src/core/store/contract.ts';
import { UselessAnswer } from '../../../src/core/transfer/useless-answer.ts';
import { noise } from '../../helpers/model-files.ts';
import { until } from '../../helpers/waiting.ts';

const never = new AbortController().signal;
const lost = new SkulkError('HUB_UNREACHABLE', 'the connection broke');

/** One request to upstream, whose bytes the test delivers. */
interface Asked {
  readonly start: number;
  readonly end: number;
  readonly whole: boolean;
  readonly signal: AbortSignal;
  /** Delivers bytes up to this offset, or all requested ones. */
  send(to?: number): void;
  break(error: unknown): void;
}

/** A fetch from a source that is controlled by the test, with a disk in memory and a clock of the test. */
function world({
  size = 1000,
  present = [],
  verify = async () => {},
  mayAsk = true,
  ...limits
}: Partial<FetchLimits> & {
  size?: number;
  present?: readonly ByteRange[];
  verify?: () => Promise<void>;
  mayAsk?: boolean;
} = {}) {
  const content = noise(size, 3);
  const disk = Buffer.alloc(size);
  for (const { start, end } of present) content.copy(disk, start, start, end);
  const asked: Asked[] = [];
  const timers = new Set<{ readonly act: () => void; readonly ms: number }>();
  const ended: unknown[] = [];
  const state = { isWanted: false, isOpen: false };
  const fetch = createFileFetch({
    size,
    mayAsk,
    openPartial: async () => {
      state.isOpen = true;
      return {
        present,
        disk: {
          read: async (buffer, position) => disk.copy(buffer, 0, position, position + buffer.length),
          write: async (bytes, position) => void disk.set(bytes, position),
        },
        [Symbol.asyncDispose]: async () => {
          state.isOpen = false;
        },
      };
    },
    source: {
      isTransient: (error) => error === lost,
      retry: { attempts: 3, firstDelayMs: 0, maxDelayMs: 0 },
      open: async function* ({ start, end, whole }, signal) {
        let at = start;
        let to = start;
        let broken: { readonly error: unknown } | undefined;
        let wake = (): void => {};
        const one: Asked = {
          start,
          end,
          whole,
          signal,
          send: (up = end) => {
            to = up;
            wake();
          },
          break: (error) => {
            broken = { error };
            wake();
          },
        };
        asked.push(one);
        signal.addEventListener('abort', () => one.break(signal.reason));
        while (at < end) {
          if (broken !== undefined) throw broken.error;
          if (to > at) {
            const part = content.subarray(at, to);
            at = to;
            yield part;
          } else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      },
    },
    onWritten: async () => {},
    verify,
    isWanted: () => state.isWanted,
    onEnd: (failure) => void ended.push(failure),
    limits: {
      ...usualFetchLimits,
      after: (act, ms) => {
        const timer = { act, ms };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
      ...limits,
    },
  });
  /** Fires the timers with so many milliseconds. */
  const pass = (ms: number): void => {
    for (const timer of [...timers].filter((one) => one.ms === ms)) {
      timers.delete(timer);
      timer.act();
    }
  };
  const readers: AbortController[] = [];
  /** A reader, and the bytes that it has received. */
  const read = (start = 0, end = size) => {
    const leaving = new AbortController();
    readers.push(leaving);
    let got = Buffer.alloc(0);
    const all = (async () => {
      for await (const part of fetch.read({ start, end }, leaving.signal)) got = Buffer.concat([got, part]);
      return got;
    })();
    all.catch(() => undefined);
    return { all, got: () => got, leave: () => leaving.abort(new Error('the client left')) };
  };
  const request = (number: number) => until(`request ${number} to upstream`, () => asked[number - 1]);
  return { content, disk, asked, request, timers, pass, ended, fetch, read, state };
}

describe('the readers of one file', () => {
  test('share one request, and each gets every byte as soon as it has arrived', async () => {
    const { content, asked, request, read, fetch } = world();
    const [one, two] = [read(), read()];
    const only = await request(1);
    expect(only).toMatchObject({ start: 0, end: 1000, whole: true });
    for (const to of [1, 2, 500]) {
      only.send(to);
      await until(`${to} bytes at both readers`, () => one.got().length === to && two.got().length === to);
    }
    only.send();
    expect(await one.all).toEqual(content);
    expect(await two.all).toEqual(content);
    expect(asked).toHaveLength(1);
    expect(fetch.isConfirmed()).toBe(true);
  });

  test('get a second request if one is far ahead, and no byte is fetched twice', async () => {
    const { content, asked, request, read } = world({ farBytes: 100 });
    const first = read();
    const front = await request(1);
    front.send(10);
    const ahead = read(600);
    const second = await request(2);
    expect(second).toMatchObject({ start: 600, end: 1000, whole: false });
    second.send();
    expect(await ahead.all).toEqual(content.subarray(600));
    front.send(700);
    expect(await first.all).toEqual(content);
    expect(asked).toHaveLength(2);
  });

  test('wait a little if one is slightly ahead, and then get a second request', async () => {
    const { content, asked, request, read, pass } = world();
    read();
    const front = await request(1);
    front.send(10);
    const ahead = read(600, 700);
    await until('the wait', () => asked.length === 1);
    await new Promise(setImmediate);
    pass(2_000);
    const second = await request(2);
    expect(second).toMatchObject({ start: 600, end: 1000 });
    second.send(700);
    expect(await ahead.all).toEqual(content.subarray(600, 700));
  });

  test('have the bytes outside their range fetched too, because the whole file is needed', async () => {
    const { content, disk, request, read, fetch, state } = world();
    state.isWanted = true;
    const ahead = read(600, 700);
    (await request(1)).send();
    expect(await ahead.all).toEqual(content.subarray(600, 700));
    const rest = await request(2);
    expect(rest).toMatchObject({ start: 0, end: 600 });
    rest.send();
    await until('the check', () => fetch.isConfirmed());
    expect(disk).toEqual(content);
  });

  test('can leave without stopping the fetch, which continues for a minute after the last one', async () => {
    const { content, request, read, pass, ended, state } = world();
    const [one, two] = [read(), read()];
    const only = await request(1);
    only.send(10);
    await until('bytes', () => one.got().length === 10);
    one.leave();
    await expect(one.all).rejects.toThrow('the client left');
    only.send(20);
    await until('bytes', () => two.got().length === 20);
    two.leave();
    await expect(two.all).rejects.toThrow('the client left');
    expect(only.signal.aborted).toBe(false);
    const three = read();
    expect(three).toBeDefined();
    only.send(1000);
    expect(await three.all).toEqual(content);
    state.isWanted = true;
    pass(60_000);
    expect(ended).toEqual([]);
    state.isWanted = false;
    pass(60_000);
    expect(ended).toEqual([undefined]);
    await until('the file is closed', () => !state.isOpen);
  });

  test('end the request to upstream a minute after the last one leaves', async () => {
    const { request, read, pass, ended } = world();
    const one = read();
    const only = await request(1);
    one.leave();
    await expect(one.all).rejects.toThrow('the client left');
    pass(60_000);
    expect(only.signal.aborted).toBe(true);
    expect(ended).toEqual([undefined]);
  });
});

describe('an upstream that', () => {
  test('sends nothing for four seconds gets a second request, and the one that delivers continues', async () => {
    const { content, asked, request, read, pass } = world();
    const one = read();
    const first = await request(1);
    first.send(300);
    await until('bytes', () => one.got().length === 300);
    pass(4_000);
    const second = await request(2);
    expect(second).toMatchObject({ start: 300, end: 1000 });
    second.send();
    expect(await one.all).toEqual(content);
    expect(first.signal.aborted).toBe(true);
    expect(asked).toHaveLength(2);
  });

  test('was only slow continues alone, and the second request ends', async () => {
    const { content, request, read, pass } = world();
    const one = read();
    const first = await request(1);
    pass(4_000);
    const second = await request(2);
    first.send();
    expect(await one.all).toEqual(content);
    expect(second.signal.aborted).toBe(true);
  });

  test('breaks off gets a request for the rest, and the fetch ends after some tries without a byte', async () => {
    const { request, read, ended } = world();
    const one = read();
    for (let number = 1; number <= 3; number += 1) {
      const asked = await request(number);
      if (number === 1) {
        asked.send(5);
        await until('bytes', () => one.got().length === 5);
      } else expect(asked.start).toBe(5);
      asked.break(lost);
    }
    await expect(one.all).rejects.toBe(lost);
    expect(ended).toEqual([{ error: lost }]);
  });

  test('refuses permanently disconnects every reader at once', async () => {
    const { request, read } = world();
    const refused = new SkulkError('HUB_REFUSED', 'no');
    const [one, two] = [read(), read()];
    (await request(1)).break(refused);
    await expect(one.all).rejects.toBe(refused);
    await expect(two.all).rejects.toBe(refused);
  });

  test('does not support ranges gets a request for the whole file, and no more range requests', async () => {
    const { content, asked, request, read } = world({ present: [{ start: 0, end: 100 }], farBytes: 10 });
    const one = read();
    (await request(1)).break(new UselessAnswer('HUB_UNREACHABLE', 'it sends everything'));
    const second = await request(2);
    expect(second).toMatchObject({ start: 100, whole: true });
    const ahead = read(900);
    second.send();
    expect(await ahead.all).toEqual(content.subarray(900));
    expect(await one.all).toEqual(content);
    expect(asked).toHaveLength(2);
  });
});

describe('the content of a fetched file', () => {
  test('disconnects every reader before the last byte if it is wrong', async () => {
    const wrong = new SkulkError('INTEGRITY', 'another content');
    const gate = Promise.withResolvers<void>();
    const { request, read, ended } = world({ size: 200_000, verify: () => gate.promise });
    const [whole, tail] = [read(), read(190_000)];
    (await request(1)).send();
    await until('what is not held back', () => whole.got().length === 200_000 - 64 * 1024);
    gate.reject(wrong);
    await expect(whole.all).rejects.toBe(wrong);
    await expect(tail.all).rejects.toBe(wrong);
    expect(tail.got().length).toBeLessThan(10_000);
    expect(ended).toEqual([{ error: wrong }]);
  });

  test('is sent slowly while it is checked, except for the last byte', async () => {
    const gate = Promise.withResolvers<void>();
    const { content, request, read, pass } = world({ size: 1_500, verify: () => gate.promise });
    const one = read();
    (await request(1)).send();
    for (const length of [1_024, 1_499]) {
      await until(`${length} bytes`, () => {
        pass(4_000);
        return one.got().length === length;
      });
    }
    gate.resolve();
    expect(await one.all).toEqual(content);
  });

  test('is checked before the reader of an empty file ends', async () => {
    const { asked, read, fetch } = world({ size: 0 });
    expect(await read().all).toEqual(Buffer.alloc(0));
    await until('the check', () => fetch.isConfirmed());
    expect(asked).toEqual([]);
  });

  test('of an earlier fetch is not requested again', async () => {
    const { content, asked, request, read } = world({
      present: [
        { start: 0, end: 300 },
        { start: 500, end: 1000 },
      ],
    });
    const one = read();
    await until('what was here', () => one.got().length === 300);
    const only = await request(1);
    expect(only).toMatchObject({ start: 300, end: 500, whole: false });
    only.send();
    expect(await one.all).toEqual(content);
    expect(asked).toHaveLength(1);
  });
});

describe('a fetch that a download continues', () => {
  /** The bytes that the download writes, and its requests to upstream. */
  const feeding = (given: ReturnType<typeof world>, start: number, end: number) => {
    const opened: ByteRange[] = [];
    const bytes = given.fetch.feed(
      { start, end },
      async function* (range) {
        opened.push(range);
        yield given.content.subarray(range.start, range.end);
      },
      never,
    );
    const done = (async () => {
      let at = start;
      for await (const part of bytes) {
        given.disk.set(part, at);
        at += part.length;
      }
      return at;
    })();
    return { opened, done };
  };

  test('uses existing and arriving bytes, requests only the rest, and serves readers', async () => {
    const given = world({ size: 1000 });
    const reader = given.read(0, 400);
    const front = await given.request(1);
    front.send(100);
    await until('bytes', () => reader.got().length === 100);
    given.fetch.setFed(true);
    const download = feeding(given, 0, 1000);
    front.send();
    expect(await download.done).toBe(1000);
    expect(download.opened).toEqual([]);
    // It decides about the content.
    const tail = given.read(900);
    await new Promise(setImmediate);
    expect(tail.got()).toHaveLength(0);
    given.fetch.confirm();
    expect(await tail.all).toEqual(given.content.subarray(900));
    expect(await reader.all).toEqual(given.content.subarray(0, 400));
  });

  test('gets bytes that no reader requested, and a reader waits only if it must not request them itself', async () => {
    const given = world({ size: 1000, mayAsk: false });
    const reader = given.read(200, 300);
    await new Promise(setImmediate);
    given.fetch.setFed(true);
    const download = feeding(given, 0, 500);
    expect(await download.done).toBe(500);
    expect(await reader.all).toEqual(given.content.subarray(200, 300));
    expect(given.asked).toEqual([]);
    expect(download.opened).toEqual([{ start: 0, end: 500 }]);
  });
});
