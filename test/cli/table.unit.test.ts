import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { fitWidths } from '../../src/cli/render/lay-out-table.ts';
import { inColor, type Paint, wantsColor } from '../../src/cli/render/paint.ts';
import { renderTable } from '../../src/cli/render/table.ts';
import { renderText } from '../../src/cli/render/text.ts';
import { type ListedNode, nodeTable, pendingLines } from '../../src/commands/node-lines.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { storeAddress } from '../../src/core/protocol/describe/store-address.ts';

const now = new Date('2026-11-26T12:00:00Z');
const terminal = (columns: number | undefined) => ({ columns, now });
const table = {
  header: ['MODEL', 'SIZE', 'ADDED', 'TAGS'],
  rows: [
    ['mlx-community/Qwen3-Coder-480B-A35B-Instruct-4bit', '251 GiB', { time: '2026-11-23T11:00:00Z' }, 'thinking, tensor, optiq, vision'],
    ['org/m', '1 B', { time: 'unknown' }, ''],
  ],
  alignRight: [1],
};

test('a pending order shows its age on a terminal, and its time in a pipe', () => {
  const node = { node: 'node-1', hostname: 'kite3', status: 'pending', freed_bytes: 0, reason: null } as const;
  const lines = pendingLines([{ kind: 'purge', model_id: null, given_at: '2026-11-26T11:00:00.000Z', nodes: [node] }], []);
  expect(renderText(lines, terminal(80), renderTable)).toBe('purge all copies on kite3: not answered yet (asked 1 h ago)');
  expect(renderText(lines, undefined, renderTable)).toBe('purge all copies on kite3: not answered yet (asked 2026-11-26T11:00:00.000Z)');
});

const storeHost = {
  ...{ node_id: 'node-aaaa000000000000', hostname: 'mac-studio-1', last_seen: '2026-11-26T11:00:00.000Z', address: null },
  ...{ version: '0.1.0', agent: true, connected: true, copies: null, staged_models: 4 },
  ...{ staged_bytes: 2 ** 38, free_bytes: 2 ** 39, pending_orders: 3 },
};

test('a narrow list of nodes keeps what one looks for, and their ids only if host names do not distinguish them', () => {
  const [node, other] = ['mac', 'kite3.example.com'].map(
    (hostname, index): ListedNode => ({
      ...storeHost,
      hostname,
      node_id: `node-${index}123456789abcdef`,
      address: '192.168.1.10',
    }),
  );
  const headers = (columns: number, nodes: readonly (ListedNode | undefined)[]): readonly string[] => {
    const table = nodeTable(
      nodes.filter((one) => one !== undefined),
      { storeAddress: null },
    );
    return (renderText(table, terminal(columns), renderTable).split('\n')[0] ?? '').split(/ {2,}/);
  };
  const all = ['NODE', 'HOSTNAME', 'LAST SEEN', 'AGENT', 'VERSION', 'STAGED', 'FREE', 'PENDING', 'ADDRESS'];
  expect(headers(140, [node, other])).toEqual(all);
  expect(headers(90, [node, other])).toEqual(all.filter((name) => name !== 'VERSION' && name !== 'ADDRESS'));
  expect(headers(80, [node, other])).toEqual(['HOSTNAME', 'LAST SEEN', 'AGENT', 'STAGED', 'FREE', 'PENDING']);
  expect(headers(58, [node, other])).toEqual(['HOSTNAME', 'LAST SEEN', 'AGENT', 'FREE', 'PENDING']);
  // Commands compare a short name with the first part of a long one.
  const namesake = { ...storeHost, hostname: 'mac.example.com', node_id: 'node-f123456789abcdef' };
  expect(headers(60, [node, namesake])).toEqual(['NODE', 'HOSTNAME', 'LAST SEEN', 'PENDING']);
});

test.each([
  ['the address at which it was asked', 'http://192.168.1.10:58080', null, '192.168.1.10'],
  ['an IPv6 address', 'http://[fd00::1]:58080', null, 'fd00::1'],
  ['what its server announces if the store is on this disk', '/srv/models', 'http://192.168.1.11:58080', '192.168.1.11'],
  [
    'what its server announces if it was asked at a loopback address',
    'http://127.0.0.1:58080',
    'http://192.168.1.11:58080',
    '192.168.1.11',
  ],
  ['an address rather than the name at which it was asked', 'http://mac:58080', 'http://192.168.1.11:58080', '192.168.1.11'],
  ['the name if nothing else is known', 'http://mac:58080', 'http://localhost:58080', 'mac'],
  ['nothing if only a loopback address is known', 'http://localhost:58080', 'http://127.0.0.1:58080', ''],
])('the list of nodes has for the store host %s', (_, location, announced, shown) => {
  const advertised = announced === null ? null : { url: announced, because: '' };
  const laptop = { ...storeHost, hostname: 'laptop', address: '192.168.1.30' };
  const table = nodeTable([storeHost, laptop], { storeAddress: storeAddress(location, { advertised }) });
  const rows = renderText(table, undefined, renderTable).split('\n').slice(1);
  expect(rows.map((row) => row.split(/ {2,}/).at(8) ?? '')).toEqual([shown, '192.168.1.30']);
});

test('orders for machines that reported no such copy are only counted', () => {
  const on = (node: string, status: 'pending' | 'done' = 'pending') =>
    ({ node, hostname: 'vm', status, freed_bytes: 0, reason: null }) as const;
  const copy = { model_id: parseModelId('me/big'), size_bytes: 1, last_used: '', in_use: false, over_budget: false };
  const [holder, empty, silent] = ['node-aaaa000000000000', 'node-bbbb000000000000', 'node-cccc000000000000'] as const;
  const known = [
    { node_id: holder, hostname: 'vm', copies: [copy], staged_models: 1 },
    { node_id: empty, hostname: 'vm', copies: [], staged_models: 0 },
    { node_id: silent, hostname: 'vm', copies: null, staged_models: null },
  ];
  const orders = ['me/big', 'me/other'].map((id) => ({
    kind: 'evict',
    model_id: parseModelId(id),
    given_at: '2026-11-26T11:00:00.000Z',
    nodes: [on(holder, id === 'me/big' ? 'pending' : 'done'), on(empty), ...(id === 'me/big' ? [on(silent)] : [])],
  }));
  expect(renderText(pendingLines(orders, known), terminal(200), renderTable).split('\n')).toEqual([
    'delete me/big on vm (aaaa): not answered yet (asked 1 h ago)',
    'delete me/big on vm (cccc): not answered yet (asked 1 h ago)',
    '2 more orders wait for vm (bbbb), which reported no such copy: nothing to do',
  ]);
});

test('a long line breaks between words on a narrow terminal, and nowhere else', () => {
  const path = '/Volumes/ModelStore/a-very-long-directory-name/models';
  const blocks = [
    { line: [{ text: 'ok  ', color: 'good' as const }, `  store: ${path} has 40 GiB free, enough for most models`], indent: 6 },
  ];
  const whole = `ok    store: ${path} has 40 GiB free, enough for most models`;
  expect(renderText(blocks, undefined, renderTable)).toBe(whole);
  expect(renderText(blocks, terminal(undefined), renderTable)).toBe(whole);
  expect(renderText(blocks, terminal(200), renderTable)).toBe(whole);
  expect(renderText(blocks, terminal(30), renderTable).split('\n')).toEqual([
    'ok    store:',
    `      ${path}`,
    '      has 40 GiB free, enough',
    '      for most models',
  ]);
});

describe('a table', () => {
  test('in a pipe is not cut, and has exact times', () => {
    expect(renderTable(table, undefined)).toEqual([
      'MODEL                                                 SIZE  ADDED                 TAGS',
      'mlx-community/Qwen3-Coder-480B-A35B-Instruct-4bit  251 GiB  2026-11-23T11:00:00Z  thinking, tensor, optiq, vision',
      'org/m                                                  1 B  unknown',
    ]);
  });

  test('on a terminal fits the width: the widest columns are cut, numbers and ages are not', () => {
    expect(renderTable(table, terminal(80))).toEqual([
      'MODEL                              SIZE  ADDED    TAGS',
      'mlx-community/Q…-Instruct-4bit  251 GiB  3 d ago  thinking, tensor, optiq, visi…',
      'org/m                               1 B  unknown',
    ]);
    expect(renderTable(table, terminal(60))).toEqual([
      'MODEL                    SIZE  ADDED    TAGS',
      'mlx-commun…ruct-4bit  251 GiB  3 d ago  thinking, tensor, o…',
      'org/m                     1 B  unknown',
    ]);
  });

  test('on a terminal with enough space, or of unknown width, is not cut', () => {
    const [, line] = renderTable(table, terminal(200));
    expect(line).toBe('mlx-community/Qwen3-Coder-480B-A35B-Instruct-4bit  251 GiB  3 d ago  thinking, tensor, optiq, vision');
    expect(renderTable(table, terminal(undefined))[1]).toBe(line);
    expect(renderTable(table, terminal(0))[1]).toBe(line);
  });

  test('uses the whole width of a wide terminal, and cuts paths in the middle only where they do not fit', () => {
    const value = `/Volumes/${'ModelStore/'.repeat(9)}models`;
    const origin = `/home/anna/${'configuration/'.repeat(6)}skulk.yaml:12`;
    const config = { header: ['KEY', 'VALUE', 'ORIGIN'], rows: [['model_store.store_path', value, origin]], cutMiddle: [1, 2] };
    const whole = `model_store.store_path  ${value}  ${origin}`;
    for (const view of [undefined, terminal(undefined), terminal(whole.length)]) expect(renderTable(config, view)[1]).toBe(whole);
    const line = renderTable(config, terminal(160))[1] ?? '';
    expect([line.length, line]).toEqual([
      160,
      expect.stringMatching(/^model_store\.store_path {2}\/Vol.*….*models {2}\/home.*….*skulk\.yaml:12$/),
    ]);
    expect(renderTable(config, terminal(80))).toEqual([
      'KEY                     VALUE                        ORIGIN',
      'model_store.store_path  /Volumes/Mode…lStore/models  /home/anna/co…skulk.yaml:12',
    ]);
  });

  test('shows the age of a time on a terminal, and the time in a pipe', () => {
    const named = { header: ['N', 'SEEN'], rows: [['a', { time: '2026-11-26T11:00:00Z', age: 'now' }]] };
    expect(renderTable(named, terminal(80))[1]).toBe('a  now');
    expect(renderTable(named, undefined)[1]).toBe('a  2026-11-26T11:00:00Z');
  });

  const downloads = {
    header: ['MODEL', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
    rows: [
      ['org/model-with-a-long-name-GGUF:Q4_K_M', 'downloading', '42%', '251 GiB of 512 GiB', '112 MiB/s', '12 min 05 s', ''],
      [
        'org/m',
        { text: 'failed', color: 'bad' as const },
        '',
        '',
        '',
        '',
        'Hugging Face has no public model org/m; the name may be misspelt',
      ],
    ],
    alignRight: [2],
    isWhole: [1, 3, 4, 5],
    optional: [3],
    apart: 6,
  };

  test('on a narrow terminal puts sentences below, and omits repeated text, but not the rate or the time left', () => {
    expect(renderTable(downloads, terminal(80))).toEqual([
      'MODEL                                  STATUS       DONE  RATE       LEFT',
      'org/model-with-a-l…g-name-GGUF:Q4_K_M  downloading   42%  112 MiB/s  12 min 05 s',
      'org/m                                  failed',
      'org/m: Hugging Face has no public model org/m; the name may be misspelt',
    ]);
    expect(renderTable(downloads, undefined)[2]).toMatch(/^org\/m +failed +Hugging Face has no public/);
    expect(renderTable(downloads, terminal(200))[2]).toMatch(/^org\/m +failed +Hugging Face has no public/);
  });

  test('on a narrow terminal reports each dropped column that has texts, and only there', () => {
    const dropped = (columns: number, rows = downloads.rows): readonly string[] => {
      const headers: string[] = [];
      renderTable({ ...downloads, rows }, { ...terminal(columns), onDropped: (header) => void headers.push(header) });
      return headers;
    };
    expect(dropped(80)).toEqual(['BYTES']);
    expect(dropped(200)).toEqual([]);
    expect(dropped(40, [['org/m', 'failed', '', '', '', '', 'why']])).toEqual([]);
  });

  test('on a narrow terminal has no empty column', () => {
    const rows = [['org/m', 'complete', '100%', '251 GiB of 251 GiB', '', '', '']];
    expect(renderTable({ ...downloads, rows }, terminal(50))).toEqual([
      'MODEL  STATUS    DONE  BYTES',
      'org/m  complete  100%  251 GiB of 251 GiB',
    ]);
    expect(renderTable({ ...downloads, rows: [] }, terminal(20))).toHaveLength(1);
  });

  const origins = {
    header: ['KEY', 'VALUE', 'ORIGIN'],
    rows: [
      [{ text: 'store.path', short: '.path' }, '/srv/models', { text: '/home/anna/skulk.yaml:12', short: 'line 12' }],
      ['url', '', 'default'],
    ],
    isWhole: [0],
    legend: { 0: 'a dot stands for store', 2: 'the lines are those of /home/anna/skulk.yaml' },
  };

  test('on a narrow terminal has short texts, from the last column on, and explains them', () => {
    const whole = 'store.path  /srv/models  /home/anna/skulk.yaml:12';
    for (const view of [undefined, terminal(whole.length)]) expect(renderTable(origins, view)[1]).toBe(whole);
    expect(renderTable(origins, terminal(48))).toEqual([
      'KEY         VALUE        ORIGIN',
      'store.path  /srv/models  line 12',
      'url                      default',
      'the lines are those of /home/anna/skulk.yaml',
    ]);
    expect(renderTable(origins, terminal(30))).toEqual([
      'KEY    VALUE        ORIGIN',
      '.path  /srv/models  line 12',
      'url                 default',
      'the lines are those of',
      '  /home/anna/skulk.yaml',
      'a dot stands for store',
    ]);
  });

  test('on a narrow terminal puts a long column below each row, so that no other one is cut', () => {
    const log = {
      header: ['WHO', 'FROM', 'WHAT', 'RESULT'],
      rows: [
        ['anna on the store host', '127.0.0.1', 'org/a-model-with-a-long-name-GGUF', 'done'],
        ['ben', '10.0.0.2', '', 'done'],
        ['  eva', '10.0.0.3', 'it does not answer, and it may be off', 'failed'],
      ],
      optional: [1],
      under: 2,
    };
    expect(renderTable(log, terminal(100))[1]).toMatch(/^anna.* {2}127.* {2}org.* {2}done$/);
    expect(renderTable(log, terminal(72))[1]).toBe('anna on the store host  org/a-model-with-a-long-name-GGUF      done');
    expect(renderTable(log, terminal(34))).toEqual([
      'WHO                     RESULT',
      '  WHAT',
      'anna on the store host  done',
      '  org/a-model-with…-long-name-GGUF',
      'ben                     done',
      '  eva                   failed',
      '    it does not answer, and it may',
      '    be off',
    ]);
  });

  test('cuts digests before names', () => {
    const files = { header: ['FILE', 'SHA256'], rows: [['a-model-with-a-long-name-Q4_K_M.gguf', 'f'.repeat(64)]], cutFirst: [1] };
    expect(renderTable(files, terminal(60))[1]).toBe(`a-model-with-a-long-name-Q4_K_M.gguf  ${'f'.repeat(21)}…`);
    expect(renderTable(files, terminal(40))[1]).toBe('a-model-with-…-Q4_K_M.gguf  fffffffffff…');
  });

  test('drops optional columns before it cuts the name of its rows to less than half of the line', () => {
    const models = {
      header: ['MODEL', 'FILES', 'TAGS'],
      rows: [['m'.repeat(44), '3', 'vision, thinking']],
      optional: [1, 2],
      isWhole: [2],
    };
    const headers = (columns: number) => renderTable(models, terminal(columns))[0]?.split(/ +/);
    expect(headers(66)).toEqual(['MODEL', 'FILES', 'TAGS']);
    expect(headers(52)).toEqual(['MODEL', 'TAGS']);
    expect(headers(40)).toEqual(['MODEL']);
  });

  test('has colours where they are enabled, and they do not change the width', () => {
    const paint: Paint = (text, color) => `<${color}>${text}</>`;
    const rows = [
      ['a', { text: 'failed', color: 'bad' as const }, 'x'],
      ['b', { text: 'ok', color: undefined }, ''],
    ];
    expect(renderTable({ header: ['N', 'STATUS', 'MORE'], rows }, undefined, paint)).toEqual([
      '<strong>N</>  <strong>STATUS</>  <strong>MORE</>',
      'a  <bad>failed</>  x',
      'b  ok',
    ]);
  });

  test('counts wide characters and emoji like a terminal, and escapes control characters', () => {
    const rows = [
      ['模型', 'a'],
      ['👩‍👩‍👧', 'b'],
      ['e\u0301', 'c'],
      ['\u001b[31mred', 'd'],
    ];
    expect(renderTable({ header: ['N', 'V'], rows }, undefined)).toEqual([
      'N            V',
      '模型         a',
      '👩‍👩‍👧           b',
      'e\u0301            c',
      '\\x1b[31mred  d',
    ]);
  });

  test('has no line that is wider than its terminal, regardless of its cells', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), fc.integer({ min: 22, max: 120 }), (rows, columns) => {
        for (const line of renderTable({ header: ['A', 'B', 'C'], rows }, terminal(columns)))
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

test.each([
  [[10, 20, 30], 60, [10, 20, 30]],
  [[10, 20, 30], 50, [10, 20, 20]],
  [[10, 20, 30], 40, [10, 15, 15]],
  [[10, 20, 30], 24, [8, 8, 8]],
  [[10, 20, 30], 3, [6, 6, 6]],
])('table columns of %j in %i characters get the widths %j', (natural, room, expected) => {
  expect(fitWidths(natural, [true, true, true], room)).toEqual(expected);
});

test('a column with a fixed width keeps it, and the others share the rest', () => {
  expect(fitWidths([30, 20, 30], [false, true, true], 60)).toEqual([30, 15, 15]);
});

test.each([
  [{}, true, false, true],
  [{}, false, false, false],
  [{}, true, true, false],
  [{ NO_COLOR: '1' }, true, false, false],
  [{ NO_COLOR: '' }, true, false, true],
  [{ TERM: 'dumb' }, true, false, false],
  [{ FORCE_COLOR: '1' }, false, false, true],
  [{ FORCE_COLOR: '3', TERM: 'dumb' }, false, false, true],
  [{ FORCE_COLOR: '0' }, true, false, false],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, false, false],
  [{ FORCE_COLOR: '1' }, true, true, false],
])('with %j, a terminal: %s and --no-color: %s, colours are used: %s', (env, isTerminal, noColor, expected) => {
  expect(wantsColor(env, { isTerminal, noColor })).toBe(expected);
});

test('a colour ends with its text, and text from outside is still escaped', () => {
  expect(inColor('ok', 'good')).toBe('\u001b[32mok\u001b[39m');
  expect(inColor('', 'good')).toBe('');
  const line = { line: [{ text: 'ok', color: 'good' as const }, ' \u001b[2Jhidden'] };
  expect(renderText([line], terminal(80), renderTable, inColor)).toBe('\u001b[32mok\u001b[39m \\x1b[2Jhidden');
});
