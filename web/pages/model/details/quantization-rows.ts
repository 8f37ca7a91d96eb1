import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../../../src/core/protocol/models/hub-offer.ts';
import type { StoredQuantization } from '../../../../src/core/protocol/models/shown-model.ts';
import { isDownloadOf } from '../../../api/offer-presence.ts';

/** One quantization of a model: in the store, on Hugging Face, or on the way. */
export interface QuantizationRow {
  readonly name: string;
  /** Of its own files, in bytes; 0 if unknown. */
  readonly bytes: number;
  readonly bits: number | null;
  readonly stored?: StoredQuantization;
  readonly offered?: OfferedQuantization;
  /** That brings it now, or failed to. */
  readonly download?: DownloadStatus | undefined;
}

/**
 * All quantizations of a model, largest first. Pure.
 * @param offered those of its repo; empty if they are not known
 * @param downloads those of the model, newest first among equals
 */
export function listRows(
  stored: readonly StoredQuantization[],
  offered: readonly OfferedQuantization[],
  downloads: readonly DownloadStatus[],
): readonly QuantizationRow[] {
  const isStored = (file: string | null): boolean => stored.some(({ files }) => file !== null && files.some((path) => path === file));
  const here = stored.map((one) => ({ name: one.selector, bytes: one.size_bytes, bits: one.bits_per_weight, stored: one }));
  const absent = offered
    .filter(({ gguf_file }) => !isStored(gguf_file))
    .map((one) => ({
      name: one.label,
      bytes: one.own_bytes ?? one.size_bytes,
      bits: one.bits_per_weight ?? null,
      offered: one,
      download:
        downloads.find((download) => isComing(download) && isDownloadOf(download, one)) ?? downloads.find((d) => isDownloadOf(d, one)),
    }));
  const others = downloads
    .filter((one) => isComing(one) && !isStored(one.gguf_file) && !offered.some((other) => isDownloadOf(one, other)))
    .map((one) => ({
      name: one.selector ?? one.gguf_file ?? 'another one',
      bytes: one.bytes_total,
      bits: null,
      download: one,
    }));
  return [...here, ...absent, ...others].toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/** Whether a download runs or waits. Pure. */
export const isComing = ({ status }: Pick<DownloadStatus, 'status'>): boolean => status === 'pending' || status === 'downloading';
