import { expect, test } from 'vitest';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import { neighbourOf } from '../../web/pages/store/calm/neighbour.ts';
import { type News, type Settled, settle } from '../../web/pages/store/calm/settle.ts';

const download = (modelId: string, status: DownloadStatus['status']): DownloadStatus => ({ modelId, status }) as DownloadStatus;
const news = (ids: readonly string[], changes: Partial<News> = {}): News => ({
  downloads: [],
  ids,
  wanted: ids,
  isRead: false,
  isHeld: false,
  ...changes,
});

/** What the list shows after each news in turn, at its time: rows of downloads, models, and models that wait. */
function play(steps: readonly (readonly [at: number, news: News])[]): readonly unknown[] {
  let now: Settled | undefined;
  return steps.map(([at, one]) => {
    now = settle(now, one, at);
    const moves = now.moves.map(({ download: { modelId }, endedAt }) => `${modelId}${endedAt === undefined ? '' : ' ended'}`);
    return [moves, now.order, now.waiting];
  });
}

const read = { isRead: true };
const running = { downloads: [download('org/new', 'downloading')] };
const second = { ...download('org/new', 'downloading'), download_id: 'second' };
const ended = { downloads: [download('org/new', 'complete')] };

test.each<readonly [what: string, steps: readonly (readonly [at: number, news: News])[], shown: readonly unknown[]]>([
  [
    'what is there at the start is listed at once, with the downloads that run',
    [[0, news(['org/a'], { ...read, downloads: [download('org/b', 'pending'), download('org/c', 'complete')] })]],
    [[['org/b'], ['org/a'], []]],
  ],
  [
    'a download that ended keeps its row for ten seconds, and then joins the list',
    [
      [0, news(['org/a'], running)],
      [5_000, news(['org/a', 'org/new'], ended)],
      [14_999, news(['org/a', 'org/new'], ended)],
      [15_000, news(['org/a', 'org/new'], ended)],
    ],
    [
      [['org/new'], ['org/a'], []],
      [['org/new ended'], ['org/a'], []],
      [['org/new ended'], ['org/a'], []],
      [[], ['org/a', 'org/new'], []],
    ],
  ],
  [
    'a model that is in the store a moment before its download is complete stays in its row, also while a dialog is open',
    [
      [0, news([], { ...running, isHeld: true })],
      [1, news(['org/new'], { ...running, isHeld: true })],
      [2, news(['org/new'], { ...ended, isHeld: true })],
      [60_000, news(['org/new'], ended)],
    ],
    [
      [['org/new'], [], []],
      [['org/new'], [], []],
      [['org/new ended'], [], []],
      [[], ['org/new'], []],
    ],
  ],
  [
    'a model joins the list while a second download of it runs',
    [
      [0, news([], { downloads: [...running.downloads, second] })],
      [1, news(['org/new'], { downloads: [...ended.downloads, second] })],
      [10_001, news(['org/new'], { downloads: [...ended.downloads, second] })],
    ],
    [
      [['org/new', 'org/new'], [], []],
      [['org/new ended', 'org/new'], [], []],
      [['org/new'], ['org/new'], []],
    ],
  ],
  [
    'it stays until nobody reads the list',
    [
      [0, news(['org/a'], running)],
      [1, news(['org/a', 'org/new'], { ...ended, ...read })],
      [60_000, news(['org/a', 'org/new'], { ...ended, ...read })],
      [60_001, news(['org/a', 'org/new'], ended)],
    ],
    [
      [['org/new'], ['org/a'], []],
      [['org/new ended'], ['org/a'], []],
      [['org/new ended'], ['org/a'], []],
      [[], ['org/a', 'org/new'], []],
    ],
  ],
  [
    'a further quantization of a listed model ends in its own row, and the model stays',
    [
      [0, news(['org/new'], running)],
      [1, news(['org/new'], ended)],
    ],
    [
      [['org/new'], ['org/new'], []],
      [['org/new ended'], ['org/new'], []],
    ],
  ],
  [
    'a download that failed leaves at once: it is listed elsewhere',
    [
      [0, news([], running)],
      [1, news([], { downloads: [download('org/new', 'failed')] })],
    ],
    [
      [['org/new'], [], []],
      [[], [], []],
    ],
  ],
  [
    'a new model slides in where nobody reads, and waits where somebody does, until it is quiet',
    [
      [0, news(['org/b'])],
      [1, news(['org/a', 'org/b'])],
      [2, news(['org/a', 'org/b', 'org/c'], read)],
      [3, news(['org/a', 'org/b', 'org/c'])],
    ],
    [
      [[], ['org/b'], []],
      [[], ['org/a', 'org/b'], []],
      [[], ['org/a', 'org/b'], ['org/c']],
      [[], ['org/a', 'org/b', 'org/c'], []],
    ],
  ],
  [
    'a model that went and came again is a new one, and one that goes leaves at once',
    [
      [0, news(['org/a', 'org/b'])],
      [1, news(['org/a'], read)],
      [2, news(['org/a', 'org/b'], read)],
    ],
    [
      [[], ['org/a', 'org/b'], []],
      [[], ['org/a'], []],
      [[], ['org/a'], ['org/b']],
    ],
  ],
  [
    'only new models that match the filter wait',
    [
      [0, news(['org/a'])],
      [1, news(['org/a', 'org/b', 'org/c'], { ...read, wanted: ['org/a', 'org/c'] })],
    ],
    [
      [[], ['org/a'], []],
      [[], ['org/a'], ['org/c']],
    ],
  ],
  [
    'nothing waits for the reader of an empty list',
    [
      [0, news([], read)],
      [1, news(['org/a'], read)],
    ],
    [
      [[], [], []],
      [[], ['org/a'], []],
    ],
  ],
  [
    'an open menu keeps the order, and another order comes when it closes',
    [
      [0, news(['org/a', 'org/b', 'org/c'])],
      [1, news(['org/c', 'org/a'], { isHeld: true })],
      [2, news(['org/c', 'org/a'])],
    ],
    [
      [[], ['org/a', 'org/b', 'org/c'], []],
      [[], ['org/a', 'org/c'], []],
      [[], ['org/c', 'org/a'], []],
    ],
  ],
])('%s', (_, steps, shown) => {
  expect(play(steps)).toEqual(shown);
});

test('the list says when it changes without an event: at the first end of the time of a row', () => {
  const downloads = (a: DownloadStatus['status'], b: DownloadStatus['status']) => ({ downloads: [download('a', a), download('b', b)] });
  const first = settle(undefined, news([], downloads('downloading', 'downloading')), 0);
  const second = settle(first, news([], downloads('complete', 'downloading')), 100);
  const third = settle(second, news([], downloads('complete', 'complete')), 200);
  expect([first, second, third].map(({ changesAt }) => changesAt)).toEqual([undefined, 10_100, 10_100]);
  expect(settle(third, news([], downloads('complete', 'complete')), 10_100)).toMatchObject({
    changesAt: 10_200,
    moves: [{ endedAt: 200 }],
  });
});

test.each<readonly [gone: string, left: readonly string[], next: string | undefined]>([
  ['b', ['a', 'c', 'd'], 'c'],
  ['b', ['a', 'd'], 'd'],
  ['d', ['a', 'b', 'c'], 'c'],
  ['d', ['a'], 'a'],
  ['a', [], undefined],
])('the focus of %s goes to the next row of %j, otherwise to the one before: %s', (gone, left, next) => {
  expect(neighbourOf(['a', 'b', 'c', 'd'], gone, (row) => left.includes(row))).toBe(next);
});
