import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/core/kernel/errors.ts';
import { activityActions, nameAsker, namesOfAsker, resultOfActivity, verbOfActivity } from '../../src/core/protocol/describe/activity.ts';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import type { ActivityEntry, NodeTopics } from '../../src/core/protocol/events.ts';
import type { GivenOrder, KnownNode } from '../../src/core/protocol/fleet.ts';
import { routes } from '../../src/core/protocol/routes/routes.ts';
import type { SwarmList } from '../../src/core/protocol/staging.ts';
import { actionOf, createActivity, entryFor } from '../../src/core/server/access/activity.ts';
import { carriedStages, countMoving, describeSent, requestOfJob, requestOfOrder, runningSwarms } from '../../web/pages/activity/moving.ts';
import { barsOfRates, gapsOf, scaleRates } from '../../web/pages/activity/scale-rates.ts';
import { isReference } from '../../web/pages/add/is-reference.ts';
import { isTrouble } from '../../web/pages/store/moving/troubles.ts';
import { sumUnfinished } from '../../web/pages/store/moving/unfinished.ts';

const mib = 1024 ** 2;

test('two charts of rates have one scale, whose top is a power of two, and a bar that was not measured is not zero', () => {
  expect(
    scaleRates([
      [1, 2 * mib, 0],
      [null, 3 * mib, 4 * mib],
    ]),
  ).toEqual({
    top: 4 * mib,
    series: [
      [1 / (4 * mib), 0.5, 0],
      [null, 0.75, 1],
    ],
  });
  expect(scaleRates([[], [null]])).toEqual({ top: mib, series: [[], [null]] });
});

test.each([
  ['the last rates alone', [512, 1, 2], { count: 2, each: 1 }, [1, 2]],
  ['nothing for the time before the server started', [7], { count: 3, each: 1 }, [null, null, 7]],
  ['means of several rates, of which the last bar is full', [9, 1, 3, 5, 7], { count: 3, each: 2 }, [9, 2, 6]],
  ['the mean of what was measured', [null, 4, null, null], { count: 2, each: 2 }, [4, null]],
] as const)('the bars of rates are %s', (_what, rates, size, bars) => expect(barsOfRates(rates, size)).toEqual(bars));

test('bars side by side that were not measured are one gap', () => {
  expect(gapsOf([null, null, 0, 5, null, 1, null])).toEqual([
    { start: 0, length: 2 },
    { start: 4, length: 1 },
    { start: 6, length: 1 },
  ]);
  expect(gapsOf([0, 1])).toEqual([]);
});

describe('what moves now', () => {
  const outcome = { node: 'n2', hostname: 'kite', status: 'pending', progress: { doing: 'staging' } };
  const order = {
    kind: 'stage',
    model_id: 'org/one',
    selector: 'Q4_K_M',
    given_at: '2026-06-15T12:00:00Z',
    nodes: [outcome, { ...outcome, node: 'n1' }, { node: 'n3', status: 'pending' }, { ...outcome, node: 'n4', status: 'done' }],
  } as unknown as GivenOrder;
  const entry = { who: 'token anna', action: 'stage', model_id: 'org/one', selector: 'Q4_K_M', at: '2026-06-15T12:00:01Z' };

  test('is counted with the stages that other machines report, and this machine only once', () => {
    expect(carriedStages([order, { ...order, kind: 'purge' }], 'n1').map(({ outcome: { node } }) => node)).toEqual(['n2']);
    const staging = { jobs: [{ status: 'staging' }, { status: 'complete' }] } as unknown as NodeTopics['staging'];
    expect(countMoving({ orders: { orders: [order] } }, { staging }, 'n1')).toBe(2);
  });

  test('was asked for by the first request for the same job', () => {
    const asked = { ...entry, action: 'download', state: 'accepted', job: 'abc 2026-06-15' };
    const entries = [
      { ...asked, state: 'ended' },
      { ...asked, who: 'key' },
      asked,
      { ...asked, job: 'other' },
    ] as unknown as ActivityEntry[];
    expect(requestOfJob(entries, { id: 'abc', created_at: '2026-06-15' })?.who).toBe('token anna');
    expect(requestOfJob(entries, { id: undefined, created_at: '2026-06-15' })).toBeUndefined();
  });

  test('was ordered by the first request for the same model since the order was given', () => {
    const entries = [
      { ...entry, who: 'later', at: '2026-06-15T12:10:00Z' },
      entry,
      { ...entry, who: 'whole', selector: null },
      { ...entry, who: 'earlier', at: '2026-06-15T11:00:00Z' },
    ] as unknown as ActivityEntry[];
    expect(requestOfOrder(entries, order)?.who).toBe('token anna');
    expect(requestOfOrder(entries, { ...order, model_id: null })).toBeUndefined();
  });
});

test('the activity of a server keeps the last requests, newest first, and a rate for each five seconds', async () => {
  vi.useFakeTimers({ now: Date.parse('2026-06-15T12:00:00Z') });
  onTestFinished(() => void vi.useRealTimers());
  let hub: number | undefined = 100;
  const fromHub = async (): Promise<number> => {
    if (hub === undefined) throw new Error('the store is away');
    return hub;
  };
  const activity = createActivity({ now: Date.now, fromHub });
  onTestFinished(() => activity.close());
  const entry = { who: 'lan', from: '10.0.0.2', node: null, action: 'delete', selector: null, target: null, code: null } as const;
  for (let number = 0; number < 510; number += 1) activity.record({ ...entry, model_id: `org/m${number}` });
  activity.sent(5000);
  activity.sent(5000);
  await vi.advanceTimersByTimeAsync(5_000);
  hub = undefined;
  await vi.advanceTimersByTimeAsync(5_000);
  const { since, entries, step_seconds, from_hub, to_nodes } = await activity.view({
    asker: { role: 'admin', credential: 'key' },
    ip: '127.0.0.1',
  });
  expect({ since, step_seconds, from_hub, to_nodes }).toEqual({
    since: '2026-06-15T12:00:00.000Z',
    step_seconds: 5,
    from_hub: [100, null],
    to_nodes: [2000, 0],
  });
  expect([entries.length, entries[0]?.model_id, entries.at(-1)?.model_id]).toEqual([500, 'org/m509', 'org/m10']);
});

describe('who asked, as a client without the role admin sees it', () => {
  const entry = {
    at: '2026-06-15T12:00:00Z',
    who: 'token anna',
    from: '10.0.0.2',
    node: 'n1',
    action: 'create-token',
    model_id: null,
    selector: null,
    target: 'ci',
    code: null,
  } as const;
  const lan = { role: 'node', credential: 'lan' } as const;
  test.each([
    ['the name of a token of somebody else', entry, lan, { ...entry, who: 'token', from: '', node: null, target: null }],
    ['its own token', entry, { role: 'node', credential: 'named', name: 'anna' } as const, entry],
    [
      'another token of its address',
      entry,
      { role: 'node', credential: 'named', name: 'ben' } as const,
      { ...entry, who: 'token', from: '', node: null, target: null },
    ],
    ['its own address', { ...entry, who: 'lan' }, lan, { ...entry, who: 'lan' }],
    [
      'another address, and the machine that an order is about',
      { ...entry, who: 'lan', from: '10.0.0.3', action: 'forget-node', target: 'n2' } as const,
      lan,
      { ...entry, who: 'lan', from: '', node: null, action: 'forget-node', target: 'n2' },
    ],
    [
      'a user of the store host',
      { ...entry, who: 'user anna', from: '', node: null },
      lan,
      { ...entry, who: 'user', from: '', node: null, target: null },
    ],
    [
      'what a machine did by itself, at another address',
      { ...entry, who: 'node', from: '10.0.0.3', action: 'evict', target: null } as const,
      lan,
      { ...entry, who: 'node', from: '', node: null, action: 'evict', target: null },
    ],
    [
      'what it did by itself',
      { ...entry, who: 'node', action: 'evict', target: null } as const,
      lan,
      { ...entry, who: 'node', action: 'evict', target: null },
    ],
    ['an admin at its own address', { ...entry, who: 'page' }, lan, { ...entry, who: 'page', from: '', node: null, target: null }],
  ])('%s', (_what, given, asker, seen) => expect(entryFor(given, { asker, ip: '10.0.0.2' })).toEqual(seen));
});

test('every route that changes something for a person has a name in the log, and what machines report has none', () => {
  const named = (name: string): string | undefined => actionOf(name.slice(0, name.indexOf(' ')), name.slice(name.indexOf(' ') + 1));
  const silent = Object.keys(routes).filter((name) => !name.startsWith('GET ') && named(name) === undefined);
  expect(silent.toSorted()).toEqual([
    'DELETE /session',
    'POST /api/models/:id/paths-info/:revision',
    'POST /models/:id/place',
    'POST /models/:id/swarm',
    'POST /nodes/:node',
    'POST /nodes/:node/evictions',
    'POST /nodes/:node/orders/:order',
    'POST /nodes/:node/orders/:order/progress',
    'POST /session',
    'POST /session/codes',
    'POST /store/models/:id/optimize/plan',
    'PUT /uploads/:id',
    'PUT /uploads/:id/:digest/:file/:start',
  ]);
  expect(named('DELETE /store/models/:id/quantizations/:selector')).toBe('delete');
  expect(named('DELETE /store/models/:id/download')).toBe('cancel-download');
});

test.each([
  ['a request for work', { state: 'accepted', code: null }, 'asked for a download of', 'accepted'],
  ['its end', { state: 'ended', code: null }, 'downloaded', 'done'],
  ['its failure', { state: 'ended', code: 'HUB_REFUSED' }, 'failed to download', 'refused by the Hub'],
  ['a request for what is there', { code: null }, 'asked for a download of', 'done'],
  ['a request that was refused', { code: 'HUB_OFFLINE' }, 'asked for a download of', 'downloads are off'],
] as const)('the log has words for %s', (_what, entry, verb, result) => {
  expect([verbOfActivity({ action: 'download', ...entry }), resultOfActivity(entry)]).toEqual([verb, result]);
});

test.each([
  ['an order that machines have to carry out', 'stage', { state: 'accepted', code: null }, 'asked to stage', 'accepted'],
  ['a copy that is there', 'stage', { code: null }, 'staged', 'done'],
  ['a purge that waits for a machine', 'purge', { state: 'accepted', code: null }, 'asked to purge staged copies of', 'accepted'],
  ['a purge that every machine has finished', 'purge', { code: null }, 'purged staged copies of', 'done'],
  ['a model that is not there', 'delete', { code: 'MODEL_NOT_FOUND' }, 'failed to delete', 'no such model'],
  ['a download that nobody runs', 'cancel-download', { code: 'JOB_NOT_FOUND' }, 'failed to stop the download of', 'no such job'],
  ['a change that only some machines made', 'delete', { code: 'PARTIAL' }, 'deleted', 'partially done'],
  ['a check that found something', 'verify', { code: 'INTEGRITY' }, 'verified', 'wrong checksum'],
  ['a check that could not be made', 'verify', { code: 'LOCKED' }, 'failed to verify', 'in use or locked'],
] as const)('the log has exact words for %s', (_what, action, entry, verb, result) => {
  expect([verbOfActivity({ action, ...entry }), resultOfActivity(entry)]).toEqual([verb, result]);
});

test('a failure in the log never has the verb of what was done', () => {
  const requests = new Set(['download', 'optimize']);
  const wrong = activityActions.filter((action) => {
    const failed = verbOfActivity({ action, code: 'FORBIDDEN', ...(requests.has(action) && { state: 'ended' as const }) });
    return !failed.startsWith('failed to ') || failed === 'failed to ' || failed.includes(verbOfActivity({ action, code: null }));
  });
  expect(wrong).toEqual([]);
});

test('every failure has words in the log that the narrowest table does not cut', () => {
  const words = Object.keys(errorCodes).map((code) => resultOfActivity({ code: code as ErrorCode }));
  expect(words.filter((text) => text.length > 18 || /hub|not found$/.test(text))).toEqual([]);
});

describe('who asked', () => {
  const nodes = [
    { node_id: 'a', hostname: 'kite', address: '10.0.0.2' },
    { node_id: 'b', hostname: 'mill', address: '10.0.0.3' },
    { node_id: 'c', hostname: 'mill-2', address: '10.0.0.3' },
    { node_id: 'node-3f1c52d8339116c9', hostname: 'vm', address: '10.0.0.4' },
    { node_id: 'node-91aa02c4d3f8e17b', hostname: 'vm', address: '10.0.0.5' },
  ] as unknown as readonly KnownNode[];
  test.each([
    [{ who: 'token anna', from: '10.0.0.2', node: null }, 'anna'],
    [{ who: 'lan', from: '10.0.0.2', node: null }, 'kite'],
    [{ who: 'lan', from: '10.0.0.3', node: null }, '10.0.0.3'],
    [{ who: 'lan', from: '10.0.0.3', node: 'c' }, 'mill-2'],
    [{ who: 'page', from: '10.0.0.9', node: null }, 'admin on 10.0.0.9'],
    [{ who: 'lan', from: '', node: null }, 'somebody on the LAN'],
    [{ who: 'token', from: '', node: null }, 'a token'],
    [{ who: 'key', from: '', node: null }, 'an admin'],
    [{ who: 'user anna', from: '', node: null }, 'anna on the store host'],
    [{ who: 'user', from: '', node: null }, 'somebody on the store host'],
    [{ who: 'node', from: '10.0.0.3', node: 'c' }, 'mill-2'],
    [{ who: 'node', from: '10.0.0.9', node: 'x' }, '10.0.0.9'],
    [{ who: 'node', from: '', node: 'a' }, 'kite'],
    [{ who: 'node', from: '', node: 'x' }, 'x'],
    [{ who: 'node', from: '', node: null }, 'a machine'],
    [{ who: 'node', from: '10.0.0.4', node: 'node-3f1c52d8339116c9' }, 'vm (3f1c)'],
    [{ who: 'lan', from: '10.0.0.5', node: null }, 'vm (91aa)'],
  ])('%j is %s', (entry, name) => expect(nameAsker(entry, nodes)).toBe(name));

  test('has the name of a token or a user, an address, and the id and hostname of a machine as its names', () => {
    expect(namesOfAsker({ who: 'token anna', from: '10.0.0.2', node: 'c' }, nodes)).toEqual([
      'token anna',
      'anna',
      '10.0.0.2',
      'c',
      'kite',
      'mill-2',
    ]);
    expect(namesOfAsker({ who: 'user ben', from: '', node: null }, nodes)).toEqual(['user ben', 'ben']);
  });
});

test('a page shows the models that several nodes take now, and how many copies the store sent', () => {
  const swarm = { members: 7, seeders: 1, host_sent_bytes: 1300, began_at: '', ended_at: null } as SwarmList['swarms'][number];
  const alone = { ...swarm, members: 1 };
  const ended = { ...swarm, ended_at: '2026-06-15T12:00:00Z' };
  expect(runningSwarms([alone, swarm, ended])).toEqual([swarm]);
  expect(describeSent(swarm, 1000)).toBe('The store sent 1.3 copies.');
  // A model that was deleted in the meantime.
  expect(describeSent(swarm, undefined)).toBe('The store sent 1.27 KiB.');
});

test.each([
  ['qwen', false],
  ['org/name', false],
  ['org/name:Q4_K_M', true],
  ['org/name@v1.0', true],
  ['https://huggingface.co/org/name', true],
  ['hf.co/org/name', true],
])('whether %j names one model rather than words to search for: %j', (text, isOne) => expect(isReference(text)).toBe(isOne));

test.each([
  ['a failure that fetched nothing, asked elsewhere', { status: 'failed', bytes_done: 0 }, false, false],
  ['a failure that fetched nothing, asked here', { status: 'failed', bytes_done: 0 }, true, true],
  ['a failure that fetched something', { status: 'failed', bytes_done: 1 }, false, true],
  ['what somebody stopped', { status: 'failed', bytes_done: 1, error_code: 'CANCELLED' }, true, false],
  ['what is complete', { status: 'complete' }, true, false],
  ['what is complete and cannot be loaded', { status: 'complete', warnings: ['no'] }, false, true],
  ['what runs', { status: 'downloading' }, true, false],
])('whether a person has to see %s: %j', (_what, status, isHere, isSeen) => {
  const download = { error_code: null, warnings: [], bytes_done: 0, ...status } as unknown as DownloadStatus;
  expect(isTrouble(download, isHere)).toBe(isSeen);
});

test('unfinished is what uploads sent, and what downloads hold that run or stopped, the last one first', () => {
  const one = (status: DownloadStatus['status'], bytes_done: number, updated_at = ''): DownloadStatus =>
    ({ status, bytes_done, updated_at }) as DownloadStatus;
  const [older, newer] = [one('failed', 30, '2026-06-14'), one('failed', 40, '2026-06-15')];
  const downloads = [one('complete', 1000), one('pending', 1), one('downloading', 20), older, one('failed', 0), newer];
  expect(sumUnfinished(downloads, [{ bytes_done: 500 }])).toEqual({ bytes: 591, movingBytes: 21, stopped: [newer, older] });
  expect(sumUnfinished([], [])).toEqual({ bytes: 0, movingBytes: 0, stopped: [] });
});
