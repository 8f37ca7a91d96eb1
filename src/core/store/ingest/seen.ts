import type { Sha256 } from '../../kernel/sha256.ts';
import type { Fingerprint } from '../../transfer/fingerprint.ts';

/** The fingerprint of each file when it was hashed, by path. */
export type Seen = Readonly<Record<string, Fingerprint>>;

/** Parses the fingerprints if they belong to a manifest's digest: the two files are not replaced at the same moment. Pure. */
export function parseSeen(text: string | undefined, digest: Sha256): Seen {
  let value: unknown;
  try {
    value = text === undefined ? undefined : JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const { digest: of, files } = value as { readonly digest?: unknown; readonly files?: unknown };
  return of === digest && typeof files === 'object' && files !== null ? (files as Seen) : {};
}
