import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../../../src/core/protocol/models.ts';

/** Whether the store has a quantization, is fetching it, or neither. */
export type Presence = 'stored' | 'coming' | 'absent';

/** @param downloads those of the same model. Pure. */
export function presenceOf(offered: OfferedQuantization, downloads: readonly DownloadStatus[]): Presence {
  if (offered.in_store) return 'stored';
  const isComing = downloads.some(({ status, gguf_file, selector }) => {
    if (status !== 'pending' && status !== 'downloading') return false;
    if (gguf_file !== null) return gguf_file === offered.gguf_file;
    // What it takes is known only once Hugging Face has answered.
    return selector === null ? offered.is_preferred : selector.toLowerCase() === offered.label.toLowerCase();
  });
  return isComing ? 'coming' : 'absent';
}

/** What is chosen when nothing was named: the recommended one, or another that the store does not have yet; undefined when it has all. Pure. */
export function firstChoice(quantizations: readonly OfferedQuantization[], downloads: readonly DownloadStatus[]): string | undefined {
  const absent = quantizations.filter((one) => presenceOf(one, downloads) === 'absent');
  return (absent.find(({ is_preferred }) => is_preferred) ?? absent[0])?.gguf_file;
}
