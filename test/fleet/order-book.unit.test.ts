import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOrderBook, isOpenOn, isWanted, outcomesOf, understoodBy } from '../../src/core/fleet/order-book.ts';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Order } from '../../src/core/protocol/fleet.ts';
import type { LogEntry } from '../../src/core/protocol/order-log.ts';
import { testSeed } from '../helpers/seeded.ts';

const nodes = ['n1', 'n2', 'n3'].map((name) => parseNodeId(name));
const [n1, n2] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
const order = (seq: number, more: Partial<Order> = {}): Order => ({
  order_id: `order-${seq}`,
  seq,
  kind: 'purge',
  model_id: parseModelId('org/a'),
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const outcome = (status: 'done' | 'deferred' | 'failed') => ({ status, freed_bytes: 1, reason: null });
const bookOf = (...entries: readonly LogEntry[]) => {
  const book = createOrderBook();
  for (const entry of entries) book.apply(entry);
  return book;
};
const open = (book: ReturnType<typeof createOrderBook>, node = n1): readonly number[] => book.openFor(node).map(({ seq }) => seq);

describe('a book of orders', () => {
  test('sends each node its pending orders, oldest first, and a done order stays done', () => {
    const book = bookOf(
      { order: order(2, { model_id: parseModelId('org/b') }), nodes: [n1, n2] },
      { order: order(1), nodes: [n1, n2] },
      { ack: 'order-1', node: n1, outcome: outcome('done') },
      { ack: 'order-1', node: n1, outcome: outcome('failed') },
      { ack: 'order-2', node: n1, outcome: outcome('deferred') },
    );
    expect([open(book), open(book, n2)]).toEqual([[2], [1, 2]]);
    expect(book.next).toBe(3);
    const first = book.orders.get('order-1');
    if (first === undefined) throw new Error('there is no order');
    expect(outcomesOf(first, { hostnameOf: (node) => `${node}.lan` }).map(({ hostname, status }) => [hostname, status])).toEqual([
      ['n1.lan', 'done'],
      ['n2.lan', 'pending'],
    ]);
    expect([isOpenOn(first, n1), isOpenOn(first, n2)]).toEqual([false, true]);
  });

  test('sends no order that is only prepared or dropped, and no order to a forgotten node', () => {
    const prepared = { order: order(1), nodes: [n1], prepared: true } as const;
    expect(open(bookOf(prepared))).toEqual([]);
    expect(open(bookOf(prepared, { commit: 'order-1' }))).toEqual([1]);
    expect(open(bookOf(prepared, { commit: 'order-1' }, { drop: 'order-1' }))).toEqual([]);
    expect(open(bookOf({ order: order(1), nodes: [n1, n2] }, { forget: n1 }))).toEqual([]);
  });

  test.each([
    ['the same again', {}, {}, [2]],
    ['all copies after one', {}, { model_id: null }, [2]],
    ['one after all copies', { model_id: null }, {}, [1, 2]],
    ['another model', {}, { model_id: parseModelId('org/b') }, [1, 2]],
    ['gently after by force', { force: true }, {}, [1, 2]],
    ['by force after gently', {}, { force: true }, [2]],
  ])('replaces an older order that is covered by a newer one: %s', (_, older, newer, left) => {
    expect(open(bookOf({ order: order(1, older), nodes: [n1] }, { order: order(2, newer), nodes: [n1] }))).toEqual(left);
  });

  test('knows every result that it has compacted, so that no late answer is recorded beside it', () => {
    const book = bookOf(
      { order: order(1), nodes: [n1] },
      { order: order(2), nodes: [n1] },
      { ack: 'order-2', node: n1, outcome: outcome('done') },
    );
    const resultOfFirst = () => book.orders.get('order-1')?.nodes.get(n1);
    expect(resultOfFirst()).toBeUndefined();
    expect(book.compact()).toContainEqual({ ack: 'order-1', node: n1, outcome: outcome('done') });
    expect(resultOfFirst()).toEqual(outcome('done'));
  });

  test('has the same content after it is compacted', () => {
    /** Next events: an order is recorded, a prepared one is committed or dropped, or a node answers. */
    const step = fc.record({
      what: fc.constantFrom('order', 'prepare', 'settle', 'ack', 'ack'),
      which: fc.nat(100),
      model: fc.constantFrom('org/a', 'org/b', null),
      force: fc.boolean(),
      asked: fc.subarray(nodes, { minLength: 1 }),
      status: fc.constantFrom('done', 'deferred', 'failed'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const entries: LogEntry[] = [];
        const prepared: string[] = [];
        let seq = 0;
        for (const { what, which, model, force, asked, status } of steps) {
          const [node] = asked;
          if (what === 'order' || what === 'prepare') {
            seq += 1;
            const next = order(seq, { model_id: model === null ? null : parseModelId(model), force });
            entries.push({ order: next, nodes: asked, ...(what === 'prepare' && { prepared: true as const }) });
            if (what === 'prepare') prepared.push(next.order_id);
          } else if (what === 'settle') {
            const [id] = prepared.splice(which % Math.max(1, prepared.length), 1);
            if (id !== undefined) entries.push(force ? { commit: id } : { drop: id });
          } else if (node !== undefined) entries.push({ ack: `order-${1 + (which % Math.max(1, seq))}`, node, outcome: outcome(status) });
        }
        const book = bookOf(...entries);
        const before = nodes.map((node) => open(book, node));
        const pending = book.pending().map((one) => one.order.seq);
        const again = bookOf(...book.compact());
        expect(nodes.map((node) => open(again, node))).toEqual(before);
        expect([again.next, again.pending().map((one) => one.order.seq)]).toEqual([book.next, pending]);
      }),
      { seed: testSeed, numRuns: 500 },
    );
  });
});

describe('an order to stage', () => {
  const stage = (seq: number, more: Partial<Order> = {}): Order => order(seq, { kind: 'stage', ...more });

  test('ends with a copy or with a failure, and waits while it cannot be carried out', () => {
    const book = bookOf({ order: stage(1), nodes: [n1, n2] });
    book.apply({ ack: 'order-1', node: n1, outcome: outcome('deferred') });
    expect([open(book), open(book, n2)]).toEqual([[1], [1]]);
    book.apply({ ack: 'order-1', node: n1, outcome: outcome('failed') });
    book.apply({ ack: 'order-1', node: n1, outcome: outcome('done') });
    book.apply({ ack: 'order-1', node: n2, outcome: outcome('done') });
    expect([open(book), open(book, n2), book.pending()]).toEqual([[], [], []]);
    const booked = book.orders.get('order-1');
    expect(booked && outcomesOf(booked, { hostnameOf: () => '' }).map(({ status }) => status)).toEqual(['failed', 'done']);
  });

  test.each([
    ['the same again', {}, {}, [2]],
    ['the same for longer', {}, { keep_ms: 5 }, [2]],
    ['the same for a shorter time', { keep_ms: 5 }, {}, [1, 2]],
    ['another quantization', { selector: 'Q4_K_M' }, { selector: 'Q8_0' }, [1, 2]],
    ['a removal of the model', {}, { kind: 'evict' }, [2]],
    ['a removal of every copy', {}, { kind: 'purge', model_id: null }, [2]],
    ['a removal of one quantization', {}, { kind: 'evict', selector: 'Q8_0' }, [1, 2]],
  ] as const)('and then %s: what is left to do', (_, first, second, left) => {
    expect(open(bookOf({ order: stage(1, first), nodes: [n1] }, { order: stage(2, second), nodes: [n1] }))).toEqual(left);
  });

  test('replaces an older removal only when the copy is made, and the removal then does not remove the copy', () => {
    const book = bookOf({ order: order(1), nodes: [n1, n2] }, { order: stage(2), nodes: [n1] });
    book.apply({ ack: 'order-1', node: n1, outcome: outcome('deferred') });
    expect(open(book)).toEqual([1, 2]);
    book.apply({ ack: 'order-2', node: n1, outcome: outcome('deferred') });
    expect(open(book)).toEqual([1, 2]);
    book.apply({ ack: 'order-2', node: n1, outcome: outcome('done') });
    expect([open(book), open(book, n2)]).toEqual([[], [1]]);
    const again = bookOf(...book.compact());
    expect([open(again), open(again, n2)]).toEqual([[], [1]]);
    // A later removal, and one of every copy, are still to be done.
    const later = bookOf(
      { order: order(1, { model_id: null }), nodes: [n1] },
      { order: stage(2), nodes: [n1] },
      { order: order(3, { kind: 'evict', selector: 'Q8_0' }), nodes: [n1] },
    );
    later.apply({ ack: 'order-2', node: n1, outcome: outcome('done') });
    expect(open(later)).toEqual([1, 3]);
  });

  test('is valid until it is answered, withdrawn or replaced by a removal, and the same order again continues its work', () => {
    const book = bookOf({ order: stage(1), nodes: [n1] });
    const first = book.orders.get('order-1');
    if (first === undefined) throw new Error('there is no order');
    expect([isWanted(first, n1), isWanted(first, n2)]).toEqual([true, false]);
    book.apply({ order: stage(2), nodes: [n1] });
    expect(isWanted(first, n1)).toBe(true);
    // What the node reports about the newer order is also the progress of the first one.
    const progressOf = (id: string) => ({ doing: id, bytes_done: 0, bytes_total: 0, waits_for: null });
    expect(outcomesOf(first, { hostnameOf: () => '', progressOf })).toMatchObject([{ progress: { doing: 'order-2' } }]);
    book.apply({ order: order(3), nodes: [n1] });
    expect(isWanted(first, n1)).toBe(false);
    expect(outcomesOf(first, { hostnameOf: () => '' })).toMatchObject([{ status: 'failed', reason: 'a newer order removes the copy' }]);
  });

  test('is not sent to a node that does not support such orders', () => {
    expect(understoodBy([stage(1), order(2)], ['quantizations']).map(({ seq }) => seq)).toEqual([2]);
    expect(understoodBy([stage(1), stage(2, { selector: 'Q8_0' })], ['stages']).map(({ seq }) => seq)).toEqual([1]);
    expect(understoodBy([stage(1)], ['stages'])).toHaveLength(1);
  });
});
