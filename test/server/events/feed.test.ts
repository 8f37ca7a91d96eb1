import { describe, expect, test } from 'vitest';
import { createFeed, type FeedListener } from '../../../src/core/server/events/feed.ts';

/** A feed of two numbers that the test changes. */
function world({
  restMs = 0,
  pollEveryMs = 60_000,
  topicA = {},
}: {
  restMs?: number;
  pollEveryMs?: number;
  topicA?: { pollEveryMs?: number };
} = {}) {
  const values = { a: 1, b: 1 };
  const reads = { a: 0, b: 0 };
  let tell: ((name: 'a' | 'b') => void) | undefined;
  let failure: Error | undefined;
  const topic = (name: 'a' | 'b') => ({
    restMs,
    read: async () => {
      reads[name] += 1;
      if (failure !== undefined) throw failure;
      return { value: values[name] };
    },
  });
  const feed = createFeed<'a' | 'b'>({
    topics: { a: { ...topic('a'), ...topicA }, b: topic('b') },
    onChange: (changed) => {
      tell = changed;
      return () => {
        tell = undefined;
      };
    },
    pollEveryMs,
  });
  const set = (name: 'a' | 'b', value: number): void => {
    values[name] = value;
    tell?.(name);
  };
  return {
    feed,
    reads,
    set,
    isWatched: () => tell !== undefined,
    breakDown: (error: Error | undefined) => {
      failure = error;
    },
  };
}

function ear() {
  const heard: string[] = [];
  const failures: unknown[] = [];
  const listener: FeedListener<'a' | 'b'> = {
    notify: (name, json) => void heard.push(`${name} ${(JSON.parse(json) as { value: number }).value}`),
    fail: (error) => void failures.push(error),
  };
  return { heard, failures, listener };
}

describe('a feed of changes', () => {
  test('sends the complete state first, then changes, and nothing twice', async () => {
    const { feed, set } = world();
    const { heard, listener } = ear();
    await feed.listen(listener);
    expect(heard.toSorted()).toEqual(['a 1', 'b 1']);
    set('a', 2);
    await expect.poll(() => heard).toContain('a 2');
    set('b', 1);
    set('a', 3);
    await expect.poll(() => heard).toContain('a 3');
    expect(heard.slice(2)).toEqual(['a 2', 'a 3']);
  });

  test('reads once for many listeners, and sends a late one the current state', async () => {
    const { feed, set, reads } = world();
    const [first, late] = [ear(), ear()];
    await feed.listen(first.listener);
    set('a', 2);
    await expect.poll(() => first.heard).toContain('a 2');
    const before = { ...reads };
    await feed.listen(late.listener);
    expect(late.heard.toSorted()).toEqual(['a 2', 'b 1']);
    expect(reads).toEqual(before);
    set('b', 5);
    await expect.poll(() => late.heard).toContain('b 5');
    expect(first.heard).toContain('b 5');
    expect(reads.b).toBe(before.b + 1);
  });

  test('pauses between two reads, and sends the last of many changes', async () => {
    const { feed, set, reads } = world({ restMs: 200 });
    const { heard, listener } = ear();
    await feed.listen(listener);
    for (let value = 2; value <= 500; value += 1) set('a', value);
    await expect.poll(() => heard.at(-1)).toBe('a 500');
    expect(reads.a).toBeLessThanOrEqual(3);
  });

  test('finds changes without notifications by itself, and reads nothing without listeners', async () => {
    const { feed, set, reads, isWatched } = world({ pollEveryMs: 20 });
    const { heard, listener } = ear();
    const stop = await feed.listen(listener);
    expect(isWatched()).toBe(true);
    stop();
    stop();
    expect(isWatched()).toBe(false);
    set('a', 2);
    const before = { ...reads };
    const again = await feed.listen(listener);
    expect(reads.a).toBe(before.a + 1);
    await expect.poll(() => reads.a).toBeGreaterThan(before.a + 2);
    again();
    expect(heard.at(-2)).toBe('a 2');
  });

  test('reads a topic more often if the topic requires it', async () => {
    const { feed, reads } = world({ topicA: { pollEveryMs: 20 } });
    const stop = await feed.listen(ear().listener);
    await expect.poll(() => reads.a).toBeGreaterThan(3);
    expect(reads.b).toBe(1);
    stop();
    const before = reads.a;
    await feed.listen(ear().listener);
    expect(reads.a).toBe(before + 1);
  });

  test('that cannot be read sends the reason to new and existing listeners', async () => {
    const { feed, set, breakDown, isWatched } = world();
    const { failures, listener } = ear();
    breakDown(new Error('the disk is gone'));
    await expect(feed.listen(listener)).rejects.toThrow('the disk is gone');
    expect(isWatched()).toBe(false);
    breakDown(undefined);
    const stop = await feed.listen(listener);
    breakDown(new Error('gone again'));
    set('a', 2);
    await expect.poll(() => failures).toEqual([new Error('gone again')]);
    stop();
  });
});
