import { describe, expect, test } from 'vitest';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../src/core/protocol/models/hub-offer.ts';
import { firstChoice, presenceOf } from '../../src/core/protocol/offer-presence.ts';

const offered = (label: string, more: Partial<OfferedQuantization> = {}): OfferedQuantization => ({
  label,
  gguf_file: `a-${label}.gguf`,
  files: [],
  size_bytes: 1,
  is_preferred: false,
  in_store: false,
  ...more,
});
const download = (more: Partial<DownloadStatus>): DownloadStatus =>
  ({ modelId: 'org/a', status: 'downloading', gguf_file: null, selector: null, ...more }) as DownloadStatus;

describe('the choice of a quantization', () => {
  const q4 = offered('Q4_K_M', { is_preferred: true });
  const q8 = offered('Q8_0');
  test.each([
    ['nothing runs', [], ['absent', 'absent'], 'a-Q4_K_M.gguf'],
    ['its file is fetched', [download({ gguf_file: 'a-Q4_K_M.gguf' })], ['coming', 'absent'], 'a-Q8_0.gguf'],
    ['the file of another one is fetched', [download({ gguf_file: 'a-Q8_0.gguf' })], ['absent', 'coming'], 'a-Q4_K_M.gguf'],
    ['its selector waits', [download({ status: 'pending', selector: 'q8_0' })], ['absent', 'coming'], 'a-Q4_K_M.gguf'],
    ['the recommended one waits, as none was named', [download({ status: 'pending' })], ['coming', 'absent'], 'a-Q8_0.gguf'],
    ['its download failed', [download({ status: 'failed', gguf_file: 'a-Q4_K_M.gguf' })], ['absent', 'absent'], 'a-Q4_K_M.gguf'],
  ] as const)('knows that it exists when %s', (_, downloads, presences, first) => {
    expect([q4, q8].map((one) => presenceOf(one, downloads))).toEqual(presences);
    expect(firstChoice([q4, q8], downloads)?.gguf_file).toBe(first);
  });

  test('is the recommended one of several, and empty when the store has all of them', () => {
    expect(firstChoice([q8, q4], [])).toBe(q4);
    expect(firstChoice([{ ...q4, in_store: true }], [])).toBeUndefined();
  });

  test('is marked as older when the store has other content, and is chosen after the absent ones', () => {
    const older = { ...q4, in_store: true, is_older: true };
    expect(presenceOf(older, [])).toBe('older');
    expect(presenceOf(older, [download({ gguf_file: older.gguf_file })])).toBe('coming');
    expect(firstChoice([older, q8], [])).toBe(q8);
    expect(firstChoice([older, { ...q8, in_store: true }], [])).toBe(older);
  });
});
