import type { DownloadStatus } from './downloads.ts';
import type { OfferedQuantization } from './models/hub-offer.ts';

/** Whether the store has a quantization, has it with other content, is downloading it, or neither. */
export type OfferPresence = 'stored' | 'older' | 'coming' | 'absent';

/**
 * The state of an offered quantization in the store, as the page and the dashboard show it. Pure.
 * @param downloads those of the same model
 */
export function presenceOf(
  offered: OfferedQuantization,
  downloads: readonly Pick<DownloadStatus, 'status' | 'gguf_file' | 'selector'>[],
): OfferPresence {
  if (offered.in_store && offered.is_older !== true) return 'stored';
  const isComing = downloads.some((one) => (one.status === 'pending' || one.status === 'downloading') && isDownloadOf(one, offered));
  if (isComing) return 'coming';
  return offered.in_store ? 'older' : 'absent';
}

/** Whether a download of the same model is that of a quantization, in any state. Pure. */
export function isDownloadOf(
  { gguf_file, selector }: Pick<DownloadStatus, 'gguf_file' | 'selector'>,
  offered: OfferedQuantization,
): boolean {
  if (gguf_file !== null) return gguf_file === offered.gguf_file;
  // The file is known only after Hugging Face has answered.
  return selector === null ? offered.is_preferred : selector.toLowerCase() === offered.label.toLowerCase();
}

/**
 * The default choice if no quantization was named: the recommended one, or another that the store does not have; undefined if it has all.
 * Pure.
 */
export function firstChoice(
  quantizations: readonly OfferedQuantization[],
  downloads: Parameters<typeof presenceOf>[1],
): OfferedQuantization | undefined {
  const absent = quantizations.filter((one) => presenceOf(one, downloads) === 'absent');
  const older = quantizations.filter((one) => presenceOf(one, downloads) === 'older');
  return absent.find(({ is_preferred }) => is_preferred) ?? absent[0] ?? older[0];
}
