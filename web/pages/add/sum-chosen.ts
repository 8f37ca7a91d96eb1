import type { HubOffer, OfferedQuantization } from '../../../src/core/protocol/models/hub-offer.ts';
import { formatBytes } from '../../parts/format.ts';

/** The bytes that a download of several quantizations brings. The files that they share, such as a projector, count once. Pure. */
export function sumChosen({ files }: Pick<HubOffer, 'files'>, chosen: readonly OfferedQuantization[]): number {
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const all = chosen.flatMap((one) => one.files);
  const repeated = all.filter((path, index) => all.indexOf(path) < index);
  const total = chosen.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  return repeated.reduce((sum, path) => sum - (sizes.get(path) ?? 0), total);
}

/** Why some bytes do not fit: `Q8_0 needs 11.6 GiB; 9.2 GiB are free on mac-studio-1.` Pure. */
export function describeLack(what: readonly string[], bytes: number, { freeBytes, host }: { freeBytes: number; host: string }): string {
  const names = [what.slice(0, -1).join(', '), what.at(-1)].filter((part) => part !== '').join(' and ');
  return `${names} ${what.length > 1 ? 'need' : 'needs'} ${formatBytes(bytes)}; ${formatBytes(freeBytes)} are free on ${host}.`;
}
