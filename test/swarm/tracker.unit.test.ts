import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTracker, type Tracker } from '../../src/core/swarm/tracker.ts';

const infoHash = Buffer.from('00ff26c3a9200d3d253f7e2b0a8041425a5b7d31', 'hex');
const escaped = (bytes: Uint8Array): string => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const lan = { from: '::ffff:10.0.0.2', at: '10.0.0.1' };

function admit(tracker: Tracker, key: string): string {
  tracker.admit(key);
  return key;
}

/** The answer of a tracker to a peer. */
function ask(
  tracker: Tracker,
  key: string,
  {
    hash = infoHash,
    port = '6881',
    rest = '',
    from = lan.from,
    at = lan.at,
  }: Partial<Record<'port' | 'rest' | 'from' | 'at', string>> & {
    hash?: Uint8Array;
  },
): string {
  return tracker.announce(key, { query: `key=${key}&info_hash=${escaped(hash)}&port=${port}${rest}`, from, at }).toString('latin1');
}

const peersIn = (answer: string): readonly string[] => {
  const list = Buffer.from(/5:peers(\d+):([\s\S]*)e$/.exec(answer)?.[2] ?? '', 'latin1');
  return Array.from({ length: list.length / 6 }, (_, index) => {
    const at = index * 6;
    return `${list.subarray(at, at + 4).join('.')}:${list.readUInt16BE(at + 4)}`;
  }).toSorted();
};

test('peers learn of each other, and a peer that stops is not named any more', () => {
  const tracker = createTracker(infoHash);
  const [a, b, c] = [admit(tracker, 'a'), admit(tracker, 'b'), admit(tracker, 'c')];
  expect(peersIn(ask(tracker, a, { rest: '&left=0' }))).toEqual([]);
  expect(peersIn(ask(tracker, b, { from: '10.0.0.3', port: '7000', rest: '&left=5' }))).toEqual(['10.0.0.2:6881']);
  expect(peersIn(ask(tracker, c, { from: '10.0.0.4' }))).toEqual(['10.0.0.2:6881', '10.0.0.3:7000']);
  expect(tracker.seeders()).toBe(1);
  expect(peersIn(ask(tracker, a, { rest: '&event=stopped' }))).toEqual([]);
  expect(peersIn(ask(tracker, c, { from: '10.0.0.4' }))).toEqual(['10.0.0.3:7000']);
  tracker.dismiss(b);
  expect(peersIn(ask(tracker, c, { from: '10.0.0.4' }))).toEqual([]);
});

test('a peer on the machine of the tracker is named with the address of that machine', () => {
  const tracker = createTracker(infoHash);
  const [host, near, far] = [admit(tracker, 'a'), admit(tracker, 'b'), admit(tracker, 'c')];
  const here = { from: '127.0.0.1', at: '127.0.0.1' };
  ask(tracker, host, { ...here, port: '58083' });
  expect(peersIn(ask(tracker, near, { ...here, port: '58084' }))).toEqual(['127.0.0.1:58083']);
  expect(peersIn(ask(tracker, far, {}))).toEqual(['10.0.0.1:58083', '10.0.0.1:58084']);
  expect(peersIn(ask(tracker, host, { ...here, port: '58083' }))).toEqual(['10.0.0.2:6881', '127.0.0.1:58084']);
});

test.each([
  ['a key that was not given', {}, true],
  ['another torrent', { hash: randomBytes(20) }, false],
  ['a part of the name', { hash: infoHash.subarray(0, 19) }, false],
  ['no port', { port: '' }, false],
  ['port 0', { port: '0' }, false],
  ['a port that is too large', { port: '65536' }, false],
  ['an IPv6 address', { from: 'fe80::1' }, false],
] as const)('refuses %s, and names nobody', (_, request, isStranger) => {
  const tracker = createTracker(infoHash);
  const [known, member] = [admit(tracker, 'a'), admit(tracker, 'b')];
  ask(tracker, known, {});
  const answer = ask(tracker, isStranger ? 'stranger' : member, request);
  expect(answer).toContain('failure reason');
  expect(answer).not.toContain('peers');
  expect(peersIn(ask(tracker, known, {}))).toEqual([]);
});

test('an answer has 50 peers at most', () => {
  const tracker = createTracker(infoHash);
  for (let port = 1; port <= 80; port += 1) ask(tracker, admit(tracker, String(port)), { port: String(port) });
  expect(peersIn(ask(tracker, admit(tracker, 'last'), {}))).toHaveLength(50);
});
