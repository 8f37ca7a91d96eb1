import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { type MirrorAnswer, type MirrorAsked, putMirrorBefore } from '../helpers/mirror.ts';
import { noise } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { safetensorsBytes } from '../helpers/safetensors-bytes.ts';
import { few, isLong, longTest } from '../helpers/seeded.ts';
import { until, within } from '../helpers/waiting.ts';

const mebibyte = 1024 * 1024;
const name = 'model.safetensors';
const large = Buffer.concat([safetensorsBytes({ a: 100 }), noise(36 * mebibyte + 7, 3)]);
const files = { 'config.json': '{"model_type":"llama"}', [name]: large };
const zipped = gzipSync(large.subarray(0, 2 * mebibyte), { level: 1 });
const rangeOf = (start: number, end: number): string => `bytes ${start}-${end - 1}/${large.length}`;

/** Downloads into a store, or stages if there is no store, from a mirror. */
async function fetchFrom(answer: (asked: MirrorAsked) => MirrorAnswer | undefined, how: 'download' | 'stage' = 'download') {
  const world = await hubWorld({ SKULK_STALL_TIMEOUT: '20' });
  world.hub.push('org/m', { files });
  const mirror = putMirrorBefore(world.hub, files, answer);
  const { requests } = mirror;
  const alone = { SKULK_HOME: join(world.home, 'alone'), HF_ENDPOINT: world.hub.url };
  const ended = await (how === 'download' ? world.host('download', 'org/m') : runInProcess(['stage', 'org/m'], { env: alone }));
  const place = how === 'download' ? join(world.storePath, 'org--m') : join(world.home, 'alone', 'staging', 'org--m');
  const isRight = async (): Promise<boolean> => (await readFile(join(place, name))).equals(large);
  const ofLarge = requests.filter(({ path }) => path === name);
  return { ended, isRight, requests, ofLarge, openParts: mirror.openParts, sent: ofLarge.reduce((sum, one) => sum + one.sent, 0) };
}

const whole = ({ content }: MirrorAsked): MirrorAnswer => ({ status: 200, body: content });

/** Parts that cannot be used; the short form has the first one. */
const unusable: readonly (readonly [string, (asked: MirrorAsked) => MirrorAnswer])[] = [
  [
    'other bytes than were asked for',
    ({ start, end, content }) => ({
      status: 206,
      headers: { 'Content-Range': rangeOf(start + 1, end) },
      body: content.subarray(start + 1, end),
    }),
  ],
  ['parts without saying which', ({ start, end, content }) => ({ status: 206, body: content.subarray(start, end) })],
  [
    'parts compressed',
    ({ start, end }) => ({
      status: 206,
      headers: { 'Content-Range': rangeOf(start, end), 'Content-Encoding': 'gzip' },
      body: zipped,
    }),
  ],
];

describe('the right bytes are downloaded', () => {
  test.each(isLong ? (['download', 'stage'] as const) : (['download'] as const))(
    'from a mirror that ignores Range, over one connection: %s',
    async (how) => {
      const { ended, isRight, ofLarge, openParts, sent } = await fetchFrom(whole, how);
      expect(ended.status, ended.stderr).toBe(0);
      expect(await isRight()).toBe(true);
      // Three pieces are requested, two of them again, and then the file.
      expect(ofLarge.length).toBeLessThanOrEqual(6);
      expect(ofLarge.filter(({ isPart }) => !isPart)).toEqual([{ path: name, isPart: false, sent: large.length }]);
      // An unneeded answer is cancelled at once, and not read beyond the data that the system has received already.
      expect(openParts).toBe(0);
      expect(sent).toBeLessThan(2 * large.length);
    },
  );

  longTest('from a mirror that sends more than the range, and is cut off', async () => {
    const { ended, isRight, ofLarge } = await fetchFrom(({ path, start, isPart, content }) =>
      isPart && path === name
        ? { status: 206, headers: { 'Content-Range': rangeOf(start, content.length) }, body: content.subarray(start) }
        : undefined,
    );
    expect(ended.status, ended.stderr).toBe(0);
    expect(await isRight()).toBe(true);
    expect(ofLarge.length).toBe(3);
  });

  test.each(isLong ? unusable : unusable.slice(0, 1))('from a mirror that sends %s, as a whole', async (_, part) => {
    const { ended, isRight, ofLarge } = await fetchFrom((asked) =>
      asked.path !== name ? undefined : asked.isPart ? part(asked) : whole(asked),
    );
    expect(ended.status, ended.stderr).toBe(0);
    expect(await isRight()).toBe(true);
    expect(ofLarge.length).toBeLessThanOrEqual(6);
  });

  longTest('from a mirror that ignores Range and breaks off in the middle, without a decrease of the progress', async () => {
    const cutAt = [20, 9, 37].map((size) => size * mebibyte);
    let wholes = 0;
    const { ended, isRight, ofLarge } = await fetchFrom((asked) => {
      if (asked.path !== name) return undefined;
      if (asked.isPart) return whole(asked);
      const body = asked.content.subarray(0, cutAt[wholes] ?? asked.content.length);
      wholes += 1;
      const headers = { 'Content-Length': String(asked.content.length) };
      return { status: 200, headers, body, breaks: body.length < asked.content.length };
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(await isRight()).toBe(true);
    expect(ofLarge.filter(({ isPart }) => !isPart).length).toBe(3);
  });

  longTest('from a mirror that ignores Range, for a file in several pieces', async () => {
    const world = await hubWorld();
    const pieces = { 'm.gguf.part1of2': noise(20 * mebibyte, 5), 'm.gguf.part2of2': noise(18 * mebibyte + 3, 6) };
    world.hub.push('org/p', { files: pieces });
    const { requests } = putMirrorBefore(world.hub, pieces, whole);
    const ended = await world.host('download', 'org/p');
    expect(ended.status, ended.stderr).toBe(0);
    expect((await readFile(join(world.storePath, 'org--p', 'm.gguf'))).equals(Buffer.concat(Object.values(pieces)))).toBe(true);
    expect(requests.length).toBeLessThanOrEqual(10);
  });

  longTest('from a mirror that sends a little less than the range each time', async () => {
    const most = 5 * mebibyte + 3;
    const { ended, isRight, ofLarge, sent } = await fetchFrom(({ path, start, end, isPart, content }) => {
      if (path !== name || !isPart) return undefined;
      const last = Math.min(end, start + most);
      return { status: 206, headers: { 'Content-Range': rangeOf(start, last) }, body: content.subarray(start, last) };
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(await isRight()).toBe(true);
    expect(sent).toBe(large.length);
    expect(ofLarge.length).toBeLessThanOrEqual(12);
  });
});

longTest('answers without usable bytes add nothing to the progress and the rate of a download', async () => {
  const world = await hubWorld();
  // Just large enough for two parts.
  const content = Buffer.concat([safetensorsBytes({ a: 100 }), noise(17 * mebibyte, 3)]);
  const one = { [name]: content };
  world.hub.push('org/m', { files: one });
  // A part is answered with the whole file, which is more than was requested.
  putMirrorBefore(world.hub, one, whole);
  const answer = world.hub.fault;
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  world.hub.fault = async (asked) => {
    if (asked.host === 'cdn' && asked.request.headers.range === undefined) {
      reached.resolve();
      await gate.promise;
    }
    return (await answer?.(asked)) ?? false;
  };
  const served = await world.serveInProcess();
  const status = async () => (await (await fetch(`${served.apiUrl}/store/models/org%2Fm/download/status`)).json()) as DownloadStatus;
  await fetch(`${served.apiUrl}/store/models/org%2Fm/download`, { method: 'POST' });
  await within('the request for the whole file', reached.promise);
  expect(await status()).toMatchObject({ status: 'downloading', bytes_done: 0, bytes_per_second: null, seconds_left: null });
  gate.resolve();
  await until('the end of the download', async () => (await status()).status === 'complete');
  expect(await status()).toMatchObject({ bytes_done: content.length, bytes_total: content.length });
});

describe('the true reason of a failure is reported after few requests', () => {
  test.each(
    few<readonly [string, (asked: MirrorAsked) => MirrorAnswer | undefined, RegExp]>([
      [
        'compresses everything',
        () => ({ status: 200, headers: { 'Content-Encoding': 'gzip' }, body: zipped }),
        /sent ".*" compressed \(gzip\), which was not requested/,
      ],
      [
        'has another file',
        ({ path, content }) => (path === name ? { status: 200, body: content.subarray(0, 1000) } : undefined),
        /sent 1000 bytes of "model\.safetensors", which has 37748/,
      ],
      [
        'sends parts where all was asked for',
        ({ path, start, content }) =>
          path === name
            ? { status: 206, headers: { 'Content-Range': rangeOf(start + 5, content.length) }, body: content.subarray(start + 5) }
            : undefined,
        /sent a part of "model\.safetensors" instead of the whole file/,
      ],
    ]),
  )('for a mirror that %s', async (_, answer, reason) => {
    const { ended, requests } = await fetchFrom(answer);
    expect(ended).toMatchObject({ status: 8, stdout: '' });
    expect(ended.stderr).toMatch(reason);
    expect(ended.stderr).toContain('HF_ENDPOINT');
    expect(requests.length).toBeLessThanOrEqual(16);
  });

  test('for a mirror with circular redirects', async () => {
    const world = await hubWorld();
    world.hub.push('org/m', { files });
    let asked = 0;
    world.hub.fault = ({ host, request, response }) => {
      if (host === 'hub') return false;
      asked += 1;
      response.writeHead(302, { Location: `${world.hub.cdnUrl}${request.url}`, 'Content-Length': '0' }).end();
      return true;
    };
    const ended = await world.host('download', 'org/m');
    expect(ended).toMatchObject({ status: 8, stderr: expect.stringContaining('redirects in a circle') });
    // At most five on each connection.
    expect(asked).toBeLessThanOrEqual(5 * 8);
  });
});
