import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/core/config/schema.ts';
import { formatBytes as formatBytesOfCommands } from '../../src/core/kernel/units.ts';
import { ApiError } from '../../web/api/api-error.ts';
import { checkValue, type Schema, schemaAt } from '../../web/api/check-value.ts';
import { findProblems } from '../../web/pages/settings/find-problems.ts';
import { isThisMachine, nest, type SettingKey, type SettingValue } from '../../web/pages/settings/keys.ts';
import { listInterrupted } from '../../web/pages/settings/restart/list-interrupted.ts';
import { listAddress } from '../../web/pages/store/list/list-address.ts';
import { nodeOfPath, pathOfNode } from '../../web/parts/address/node-path.ts';
import { formatAge, formatBytes, formatCount, formatSeconds, plural } from '../../web/parts/format.ts';
import { toSentence } from '../../web/parts/to-sentence.ts';

describe('a value of a setting', () => {
  // As the page gets it.
  const schema = JSON.parse(JSON.stringify(configSchema)) as Schema;
  test.each([
    ['model_store.store_port', 9000, undefined],
    ['model_store.store_port', 0, 'This must be from 1 to 65535.'],
    ['model_store.store_port', 1.5, 'This must be a whole number.'],
    ['model_store.store_port', 'many', 'This must be a number.'],
    ['model_store.store_path', '', 'This must not be empty.'],
    ['model_store.store_host', null, 'This must be text.'],
    ['model_store.store_http_host', null, undefined],
    ['model_store.enabled', 'yes', 'This is either on or off.'],
    ['model_store.staging.staging_keep_recent_gb', 0.5, undefined],
    ['model_store.staging.staging_keep_recent_gb', -1, 'This must be 0 or more.'],
    ['model_store.auth.token', 'short', 'This needs 8 characters or more.'],
    ['model_store.auth.token', 'with a space', 'This contains characters that are not allowed here.'],
    ['model_store.unknown.key', 'anything', undefined],
  ] as const)('%s: %j', (key, value, says) => {
    expect(checkValue(schemaAt(schema, key.split('.')) ?? {}, value)).toBe(says);
  });

  test('that conflicts with another one is reported where it was changed last, and compatible values are accepted', async () => {
    const refuses =
      (isBad: (some: ReadonlyMap<SettingKey, SettingValue>) => boolean) =>
      async (some: ReadonlyMap<SettingKey, SettingValue>): Promise<void> => {
        if (isBad(some)) throw new ApiError('/x/skulk.yaml:3: no', { status: 400, code: 'BAD_REQUEST', hint: 'do better' });
      };
    const ports = new Map<SettingKey, SettingValue>([
      ['model_store.store_port', 52415],
      ['model_store.api_port', 58080],
    ]);
    expect(
      await findProblems(
        ports,
        refuses((some) => some.size === 1),
      ),
    ).toEqual(new Map());
    expect(
      await findProblems(
        ports,
        refuses((some) => some.size === 2),
      ),
    ).toEqual(new Map([['model_store.api_port', 'no. Do better.']]));
    expect(
      await findProblems(
        ports,
        refuses((some) => some.has('model_store.store_port')),
      ),
    ).toEqual(new Map([['model_store.store_port', 'no. Do better.']]));
    expect(
      await findProblems(
        new Map(),
        refuses(() => true),
      ),
    ).toEqual(new Map());
    const gone = async (): Promise<never> => {
      throw new ApiError('gone', { status: 0, code: '', hint: null });
    };
    await expect(findProblems(ports, gone)).rejects.toThrow('gone');
  });

  test('is shown as in the file', () => {
    const values = new Map<SettingKey, SettingValue>([
      ['model_store.store_port', 1],
      ['model_store.staging.enabled', false],
      ['model_store.staging.node_cache_path', null],
    ]);
    expect(nest(values)).toEqual({ model_store: { store_port: 1, staging: { enabled: false, node_cache_path: null } } });
    const kite = { hostname: 'Kite3.local', node_id: 'node-1' };
    expect(['kite3', 'KITE3.local.', 'node-1', 'localhost'].map((name) => isThisMachine(name, kite))).toEqual([true, true, true, true]);
    expect(['kite4', 'node-2', 'Node-1', '10.0.0.1'].map((name) => isThisMachine(name, kite))).toEqual([false, false, false, false]);
  });
});

test.each([
  ['it is gone', 'It is gone.'],
  ['is it there?', 'Is it there?'],
  ['org/name is gated', 'org/name is gated.'],
  ['`skulk registry` lists the models', '`skulk registry` lists the models.'],
  ['/mnt/x does not exist.', '/mnt/x does not exist.'],
])('the error %j has the message %j', (text, sentence) => {
  expect(toSentence(text)).toBe(sentence);
});

test('sizes, times and counts are shown in a readable form', () => {
  const now = Date.parse('2026-06-15T12:00:00Z');
  const ago = (seconds: number): string => formatAge(new Date(now - seconds * 1000).toISOString(), now);
  expect([0, 59, 61, 3600 * 5, 86_400 * 1.5, 86_400 * 20, 86_400 * 400, -5].map(ago)).toEqual([
    'just now',
    'just now',
    '1 min ago',
    '5 h ago',
    'yesterday',
    '2 weeks ago',
    'last year',
    'just now',
  ]);
  expect(formatAge('never', now)).toBe('unknown');
  const sizes = [0, 1023, 1024, 1024 ** 2 * 12.34, 1024 ** 4 - 1, 1024 ** 4 * 200];
  expect(sizes.map(formatBytes)).toEqual(['0 B', '1023 B', '1.00 KiB', '12.3 MiB', '1.00 TiB', '200 TiB']);
  // As the commands write them.
  expect(sizes.map(formatBytes)).toEqual(sizes.map(formatBytesOfCommands));
  expect([4, 65, 3700].map(formatSeconds)).toEqual(['4 s', '1 min 05 s', '1 h 01 min']);
  expect([plural(1, 'file'), plural(2000, 'file')]).toEqual(['1 file', '2,000 files']);
  expect([30_532_122_624, 999_600_000, 136_727_040, 99_960_000, 7_000_000, 1234].map(formatCount)).toEqual([
    '30.5B',
    '1.0B',
    '137M',
    '100M',
    '7.0M',
    '1.2K',
  ]);
});

test.each([
  ['', { words: '', tags: [], place: 'all', sort: 'size', isDescending: true }],
  ['q=qwen+4b&tag=vision&tag=tensor', { words: 'qwen 4b', tags: ['vision', 'tensor'], place: 'all', sort: 'size', isDescending: true }],
  ['staged=nowhere', { words: '', tags: [], place: 'nowhere', sort: 'size', isDescending: true }],
  ['sort=name', { words: '', tags: [], place: 'all', sort: 'name', isDescending: false }],
  ['sort=name&order=down', { words: '', tags: [], place: 'all', sort: 'name', isDescending: true }],
  ['order=up', { words: '', tags: [], place: 'all', sort: 'size', isDescending: false }],
])('the filter and the order of the list are in the address: %j', (query, view) => {
  expect(listAddress.parse(new URLSearchParams(query))).toEqual(view);
  expect(listAddress.format(view as never).toString()).toBe(query);
});

test('an address with unknown values shows the usual list', () => {
  const view = listAddress.parse(new URLSearchParams('sort=colour&staged=there&order=sideways&tag=a&tag=a&model=x'));
  expect(view).toEqual({ words: '', tags: ['a'], place: 'all', sort: 'size', isDescending: true });
});

test('the question before a restart names what is interrupted and what continues', () => {
  const running = { status: 'downloading' };
  const store = {
    downloads: { downloads: [running, { status: 'pending' }, { status: 'complete' }] },
    uploads: { uploads: [{}] },
    optimizations: { optimizations: [{ status: 'running' }] },
  };
  const node = { staging: { jobs: [{ status: 'staging' }, { status: 'failed' }] } };
  expect(listInterrupted(store as never, node as never)).toEqual([
    '2 downloads from Hugging Face pause and continue.',
    '1 upload waits and resumes where it stopped.',
    '1 optimization starts again from the beginning.',
    '1 copy to this machine stops. Stage again to resume.',
  ]);
  expect(listInterrupted({}, {})).toEqual([]);
});

test('the page of a node has its id in the address', () => {
  expect(nodeOfPath(pathOfNode('n-1.a_b'))).toBe('n-1.a_b');
  for (const path of ['/nodes', '/nodes/', '/nodes/a/b', '/nodes/%E0%A4%A', '/model/n1'])
    expect([path, nodeOfPath(path)]).toEqual([path, undefined]);
});
