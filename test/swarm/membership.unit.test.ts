import { expect, test } from 'vitest';
import type { SwarmAnswer, SwarmBody } from '../../src/core/protocol/staging.ts';
import { createMembership } from '../../src/core/swarm/membership.ts';

const digest = 'd'.repeat(64) as Parameters<typeof createMembership>[0];
const { signal } = new AbortController();
const wire: SwarmAnswer = { state: 'wire', member: 'key', members: 2, host_sent_bytes: 10 };
const shared: SwarmAnswer = { ...wire, state: 'swarm', host_port: 7000, torrent: Buffer.from('info').toString('base64') };

/** A membership with scripted answers; without one, the store cannot be reached. */
function membership({ answers, isReachable = true }: { answers: readonly SwarmAnswer[]; isReachable?: boolean }) {
  const left = [...answers];
  const [bodies, notes, ports]: [SwarmBody[], string[], number[]] = [[], [], []];
  const made = createMembership(digest, {
    ask: async (body) => {
      bodies.push(body);
      const answer = left.shift();
      if (answer === undefined) throw new Error('unreachable');
      return answer;
    },
    reaches: async (port) => ports.push(port) > 0 && isReachable,
    onNote: (note) => notes.push(note),
  });
  return { ...made, bodies, notes, ports };
}

test('a node learns whether it is alone, and then of its peers', async () => {
  const one = membership({ answers: [{ ...wire, members: 1 }, wire, shared] });
  expect(await one.look(signal)).toEqual({ isSoon: false });
  expect(await one.look(signal)).toEqual({ isSoon: true });
  expect(await one.look(signal)).toEqual({ torrent: Buffer.from('info') });
  expect(one.bodies).toEqual([{ digest }, { digest, member: 'key' }, { digest, member: 'key' }]);
  expect(one.known).toMatchObject({ member: 'key', members: 2, hostSentBytes: 10 });
});

test('a torrent is sent once, and stays known while the peers are away', async () => {
  const { torrent: _, ...later } = shared;
  const one = membership({ answers: [shared, wire, later] });
  for (const found of [{ torrent: Buffer.from('info') }, { isSoon: true }, { torrent: Buffer.from('info') }])
    expect(await one.look(signal)).toEqual(found);
  expect(one.bodies.slice(1)).toEqual([
    { digest, member: 'key', has_torrent: true },
    { digest, member: 'key', has_torrent: true },
  ]);
});

test('peers that cannot be reached are noted once, and asked for again', async () => {
  const one = membership({ answers: [shared, shared], isReachable: false });
  expect([await one.look(signal), await one.look(signal)]).toEqual([{ isSoon: false }, { isSoon: false }]);
  expect(one.ports).toEqual([7000, 7000]);
  expect(one.notes).toEqual([expect.stringContaining('TCP port 7000 of the store host')]);
});

test('a store without an answer makes no member, and gets no message at the end', async () => {
  const one = membership({ answers: [{ ...wire, member: '' }] });
  expect([await one.look(signal), await one.look(signal)]).toEqual([undefined, undefined]);
  await one.leave(signal);
  expect([one.bodies.length, one.known.member]).toEqual([2, undefined]);
});

test('a member that leaves says so', async () => {
  const one = membership({ answers: [wire, wire] });
  await one.look(signal);
  await one.leave(signal);
  expect(one.bodies.at(-1)).toEqual({ digest, member: 'key', leaves: true });
});
