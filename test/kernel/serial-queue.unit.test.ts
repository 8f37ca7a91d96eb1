import { describe, expect, test } from 'vitest';
import { createSerialQueue, createSerialQueues } from '../../src/core/kernel/flow/serial-queue.ts';

/** Work that ends when the test settles it. */
function heldWork(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = async (): Promise<string> => {
    log.push(`${name} begins`);
    const result = await promise.finally(() => log.push(`${name} ends`));
    return result;
  };
  return { work, resolve, reject };
}

describe('a serial queue', () => {
  test('runs work in the order of the calls, one piece at a time', async () => {
    const log: string[] = [];
    const queue = createSerialQueue();
    const [first, second] = [heldWork(log, 'first'), heldWork(log, 'second')];
    const [one, two] = [queue.run(first.work), queue.run(second.work)];
    second.resolve('2');
    first.resolve('1');
    expect(await Promise.all([one, two])).toEqual(['1', '2']);
    expect(log).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });

  test('reports a failure to its caller only', async () => {
    const queue = createSerialQueue();
    const failing = queue.run(() => Promise.reject(new Error('no disk')));
    const next = queue.run(async () => 'done');
    await expect(failing).rejects.toThrow('no disk');
    expect(await next).toBe('done');
  });

  test('is idle after everything queued so far has ended, also after a failure', async () => {
    const log: string[] = [];
    const queue = createSerialQueue();
    await queue.idle();
    const held = heldWork(log, 'work');
    const failing = expect(queue.run(held.work)).rejects.toThrow('no disk');
    const idle = queue.idle().then(() => log.push('idle'));
    held.reject(new Error('no disk'));
    await idle;
    await failing;
    expect(log).toEqual(['work begins', 'work ends', 'idle']);
  });
});

describe('serial queues', () => {
  test('run work of one key in order, and of different keys at the same time', async () => {
    const log: string[] = [];
    const queues = createSerialQueues<string>();
    const [a, again, b] = [heldWork(log, 'a'), heldWork(log, 'a again'), heldWork(log, 'b')];
    const all = [queues.run('a', a.work), queues.run('a', again.work), queues.run('b', b.work)] as const;
    b.resolve('b');
    await all[2];
    expect(log).toEqual(['a begins', 'b begins', 'b ends']);
    again.resolve('a again');
    a.resolve('a');
    expect(await Promise.all(all)).toEqual(['a', 'a again', 'b']);
    expect(log.slice(3)).toEqual(['a ends', 'a again begins', 'a again ends']);
  });

  test('are idle by key, also after a failure', async () => {
    const log: string[] = [];
    const queues = createSerialQueues<string>();
    const held = heldWork(log, 'a');
    const failing = expect(queues.run('a', held.work)).rejects.toThrow('no disk');
    await queues.idle('b');
    const idle = queues.idle('a').then(() => log.push('idle'));
    held.reject(new Error('no disk'));
    await Promise.all([idle, failing]);
    expect(log).toEqual(['a begins', 'a ends', 'idle']);
    expect(await queues.run('a', async () => 'next')).toBe('next');
  });
});
