/** A value of BitTorrent's format: an integer, a string of bytes, a list, or a dictionary with ASCII keys. */
export type Bencoded = number | string | Uint8Array | readonly Bencoded[] | { readonly [key: string]: Bencoded };

/** Encodes a value as in BEP 3. Keys are sorted, so equal values give equal bytes. */
export function bencode(value: Bencoded): Buffer {
  if (typeof value === 'number') return Buffer.from(`i${value}e`);
  if (typeof value === 'string') return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  const parts = Array.isArray(value)
    ? value.map(bencode)
    : Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([key, item]) => [bencode(key), bencode(item as Bencoded)]);
  return Buffer.concat([Buffer.from(Array.isArray(value) ? 'l' : 'd'), ...parts, Buffer.from('e')]);
}
