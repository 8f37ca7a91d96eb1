import { describe, expect, test } from 'vitest';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../src/core/protocol/models/hub-offer.ts';
import type { StoredQuantization } from '../../src/core/protocol/models/shown-model.ts';
import { mayOpen } from '../../web/pages/add/is-reference.ts';
import { describeLack, sumChosen } from '../../web/pages/add/sum-chosen.ts';
import { listRows } from '../../web/pages/model/details/quantization-rows.ts';
import { formatAddAddress, isAddPath, parseAddAddress } from '../../web/parts/address/add-address.ts';

describe('the address of the page that adds models', () => {
  const asked = (modelId: string, revision?: string, selector?: string) => ({ modelId, revision, selector });
  test.each([
    ['/add', { words: '' }],
    ['/add?q=qwen+3', { words: 'qwen 3' }],
    ['/add/org/name', { words: '', asked: asked('org/name') }],
    ['/add/org/name?revision=refs%2Fpr%2F1&part=Q4_K_M&q=qwen', { words: 'qwen', asked: asked('org/name', 'refs/pr/1', 'Q4_K_M') }],
    ['/add?model=gpt2', { words: '', asked: asked('gpt2') }],
    ['/add?model=..%2Fetc&q=x', { words: 'x', asked: asked('../etc') }],
  ])('%s', (text, address) => {
    const { pathname, searchParams } = new URL(text, 'http://x');
    expect(isAddPath(pathname)).toBe(true);
    expect(parseAddAddress(pathname, searchParams)).toEqual(address);
    expect(formatAddAddress(address)).toBe(text);
  });

  test('is not that of another page or of a model', () => {
    expect(['/', '/added', '/add/name', '/add/a/b/c', '/add//b', '/org/name'].filter(isAddPath)).toEqual([]);
  });
});

test('a text with a slash or a mark of a reference can be opened, and words cannot', () => {
  expect(['org/name', 'gpt2@v1', 'hf.co/a/b', 'ollama run hf.co/a/b'].filter((text) => !mayOpen(text))).toEqual([]);
  expect(['qwen', 'qwen 3 gguf', ''].filter(mayOpen)).toEqual([]);
});

const offered = (label: string, more: Partial<OfferedQuantization> = {}): OfferedQuantization => ({
  label,
  gguf_file: `m-${label}.gguf`,
  files: [`m-${label}.gguf`, 'mmproj.gguf'],
  size_bytes: 120,
  own_bytes: 100,
  is_preferred: false,
  in_store: false,
  ...more,
});

test('a file that several quantizations share counts once', () => {
  const offer = { files: [{ path: 'mmproj.gguf', size: 20 }] };
  expect(
    [[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((labels) =>
      sumChosen(
        offer,
        labels.map((label) => offered(label)),
      ),
    ),
  ).toEqual([0, 120, 220, 320]);
});

test('what does not fit is named', () => {
  const room = { freeBytes: 3 * 1024, host: 'kite' };
  expect(describeLack(['Q8_0'], 4096, room)).toBe('Q8_0 needs 4.00 KiB; 3.00 KiB are free on kite.');
  expect(describeLack(['BF16', 'Q8_0', 'Q6_K'], 4096, room)).toBe('BF16, Q8_0 and Q6_K need 4.00 KiB; 3.00 KiB are free on kite.');
});

test('the quantizations of a model are those of the store, of its repo and of its downloads, each once and largest first', () => {
  const stored: StoredQuantization = {
    selector: 'Q4_K_M',
    label: 'Q4_K_M',
    files: ['m-Q4_K_M.gguf'],
    size_bytes: 90,
    bits_per_weight: 4.8,
    digest: null,
    staged_on: [],
  };
  const download = (file: string | null, more: Partial<DownloadStatus>): DownloadStatus =>
    ({ status: 'downloading', gguf_file: file, selector: null, bytes_total: 0, ...more }) as DownloadStatus;
  const failed = download('m-Q8_0.gguf', { status: 'failed' });
  const running = download('m-Q8_0.gguf', {});
  const other = download('m-BF16.gguf', { bytes_total: 500 });
  const offers = [offered('Q4_K_M', { is_preferred: true }), offered('Q2_K', { own_bytes: 40 }), offered('Q8_0', { bits_per_weight: 8.5 })];
  const rows = listRows([stored], offers, [failed, running, other]);
  expect(rows.map(({ name, bytes, bits }) => [name, bytes, bits])).toEqual([
    ['m-BF16.gguf', 500, null],
    ['Q8_0', 100, 8.5],
    ['Q4_K_M', 90, 4.8],
    ['Q2_K', 40, null],
  ]);
  expect(rows.map(({ download: one }) => one)).toEqual([other, running, undefined, undefined]);
  // A row shows its failure until the download runs again.
  expect(listRows([stored], offers, [failed]).map(({ download: one }) => one)).toEqual([failed, undefined, undefined]);
  // Without Hugging Face there is what the store has, and what comes.
  expect(listRows([stored], [], [running, failed]).map(({ name }) => name)).toEqual(['Q4_K_M', 'm-Q8_0.gguf']);
});
