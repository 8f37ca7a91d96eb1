/** Files that operating systems, file systems and NAS devices create at the top of an otherwise empty disk. */
const litter: ReadonlySet<string> = new Set([
  'lost+found',
  '.ds_store',
  '.apdisk',
  '.spotlight-v100',
  '.fseventsd',
  '.temporaryitems',
  '.documentrevisions-v100',
  '.metadata_never_index',
  '.volumeicon.icns',
  '@eadir',
  '#recycle',
  '#snapshot',
  '@recycle',
  '.snapshot',
  '.snapshots',
  '.zfs',
  'system volume information',
  '$recycle.bin',
  'thumbs.db',
  'desktop.ini',
]);

/** Whether a name in a directory is not user content, because a system creates it. Case does not matter. */
export function isSystemFile(name: string): boolean {
  const lower = name.toLowerCase();
  return litter.has(lower) || lower.startsWith('.trash');
}
