import { dirname } from 'node:path/posix';
import { roomOf } from './find-room-violations.ts';
import { listImports, resolveImport } from './list-imports.ts';
import { rooms } from './rooms.ts';

/**
 * Each room in three lines, from top to bottom: its files, its imports and its importers. The number counts the imports; `types` means that
 * all of them are types only.
 * @param files texts by path below src, as for `findRoomViolations`
 */
export function describeRooms(files: ReadonlyMap<string, string>): string {
  const arrows = [...files].flatMap(([path, text]) => arrowsOf(path, text));
  const width = Math.max(...Object.keys(rooms).map(({ length }) => length)) + 2;
  return Object.keys(rooms)
    .flatMap((room) => {
      const inside = [...files.keys()].filter((path) => roomOf(path) === room);
      const out = arrows.filter(({ from }) => from === room);
      const into = arrows.filter(({ to }) => to === room);
      return [
        `${room.padEnd(width)}${countFiles(room, inside)}`,
        `${' '.repeat(width)}imports      ${count(out.map(({ to, typeOnly }) => ({ room: to, typeOnly })))}`,
        `${' '.repeat(width)}imported by  ${count(into.map(({ from, typeOnly }) => ({ room: from, typeOnly })))}`,
      ];
    })
    .join('\n');
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function arrowsOf(path: string, text: string): readonly Arrow[] {
  const from = roomOf(path);
  return listImports(text, path).flatMap(({ specifier, typeOnly }) => {
    const to = specifier.startsWith('.') ? roomOf(resolveImport(path, specifier)) : undefined;
    return from === undefined || to === undefined || from === to ? [] : [{ from, to, typeOnly }];
  });
}

/** E.g. `12 files: 4, disk 5, read 3`; the first number counts the files outside folders. */
function countFiles(room: string, paths: readonly string[]): string {
  const folders = Map.groupBy(paths, (path) => dirname(path).slice(room.length + 1));
  const parts = [...folders]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, { length }]) => (folder === '' ? `${length}` : `${folder} ${length}`));
  return `${paths.length} files${parts.length > 1 ? `: ${parts.join(', ')}` : ''}`;
}

/** E.g. `kernel 12, store 3 types`. */
function count(ends: readonly { readonly room: string; readonly typeOnly: boolean }[]): string {
  const groups = Map.groupBy(ends, ({ room }) => room);
  const parts = Object.keys(rooms).flatMap((room) => {
    const found = groups.get(room) ?? [];
    return found.length === 0
      ? []
      : [`${room.replace('core/', '')} ${found.length}${found.every(({ typeOnly }) => typeOnly) ? ' types' : ''}`];
  });
  return parts.join(', ') || '-';
}
