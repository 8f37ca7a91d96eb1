import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bencode } from '../../src/core/swarm/bencode.ts';
import { makeProgressFile } from '../../src/core/swarm/progress-file.ts';

const info = { name: 'm', 'piece length': 100, pieces: Buffer.alloc(20 * 11, 0x7b), private: 1 };
const torrent = bencode({ info });
const infoHash = createHash('sha1').update(bencode(info)).digest('hex');

test.each([
  ['nothing is absent', [], 'ffe0'],
  ['everything', [{ start: 0, end: 1050 }], '0000'],
  ['a part of one piece', [{ start: 110, end: 111 }], 'bfe0'],
  ['the last byte', [{ start: 1049, end: 1050 }], 'ffc0'],
  [
    'parts that share a piece with what is here',
    [
      { start: 199, end: 301 },
      { start: 900, end: 900 },
    ],
    '8fe0',
  ],
])('the progress of a torrent has no piece that is absent in part: %s', (_, absent, bits) => {
  const written = makeProgressFile(torrent, { size: 1050, absent }).toString('hex');
  expect(written).toBe(
    `0001${'00000001'}${'00000014'}${infoHash}${'00000064'}${'000000000000041a'}${'0'.repeat(16)}${'00000002'}${bits}${'00000000'}`,
  );
});
