import { dirname } from 'node:path/posix';
import { type Import, listImports, resolveImport } from './list-imports.ts';
import { doors, type Room, rooms } from './rooms.ts';

/** A folder with more files than this must be divided by purpose; see `findFullFolders`. */
const maxFilesInFolder = 25;

/**
 * Every import that `tools/rooms.ts` does not allow, every cycle and every folder with too many files, one sentence each.
 * @param files texts by path below src, with `/` between its parts; those of the browser view begin with `web/`
 */
export function findRoomViolations(files: ReadonlyMap<string, string>): readonly string[] {
  const graph = new Map<string, readonly string[]>();
  const faults = [...files].flatMap(([path, text]) => {
    const imports = listImports(text, path);
    graph.set(
      path,
      imports
        .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
        .map(({ specifier }) => resolveImport(path, specifier)),
    );
    return imports.flatMap((one) => checkImport(path, one)).map((fault) => `${path}: ${fault}`);
  });
  return [...faults, ...findCycles(graph), ...findFullFolders([...files.keys()])];
}

function checkImport(path: string, { specifier, typeOnly }: Import): readonly string[] {
  const from = roomOf(path);
  const room = from === undefined ? undefined : rooms[from];
  if (from === undefined || room === undefined) return ['it is in no room of tools/rooms.ts'];
  if (room.forbiddenModules?.test(specifier)) return [`${from} may not import ${specifier}`];
  if (specifier.startsWith('node:')) return [];
  if (!specifier.startsWith('.')) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    return doors[name]?.some((door) => path.startsWith(door)) ? [] : [`${name} is imported only by ${doors[name]?.join(', ') ?? 'nobody'}`];
  }
  const target = resolveImport(path, specifier);
  const to = roomOf(target);
  if (to === from) return [];
  const allowed = [...room.values, ...(typeOnly ? (room.types ?? []) : []), ...(room.doors?.[path] ?? [])];
  if (allowed.some((place) => place === to || target.startsWith(`${place}.`) || target.startsWith(`${place}/`))) return [];
  return [`${from} may not import ${target}${typeOnly ? '' : room.types?.includes(to ?? '') ? ' but as a type' : ''}`];
}

/** The room of a file, or undefined if it has none. */
export function roomOf(path: string): string | undefined {
  if (path === 'index.ts') return path;
  const parts = path.split('/');
  if (parts.length < 2 || parts[0]?.startsWith('.')) return undefined;
  return parts[0] === 'core' || parts[0] === 'web' ? parts.slice(0, 2).join('/') : parts[0];
}

/**
 * Rooms that may import values of a room that does not come after them in the table: imports go downward only.
 * @param table as `rooms` of tools/rooms.ts, from top to bottom
 */
export function findUpwardRules(table: Readonly<Record<string, Room>>): readonly string[] {
  // The page is above all of src.
  const order = Object.keys(table).toSorted((a, b) => Number(b.startsWith('web/')) - Number(a.startsWith('web/')));
  return Object.entries(table).flatMap(([from, { values, doors: ofFiles = {} }]) =>
    [
      ...values.map((to) => ({ name: from, to })),
      ...Object.entries(ofFiles).flatMap(([name, places]) => places.map((to) => ({ name, to }))),
    ].flatMap(({ name, to }) => {
      const room = order.find((one) => to === one || to.startsWith(`${one}/`));
      const isBelow = room === undefined || order.indexOf(room) > order.indexOf(from);
      return isBelow ? [] : [`tools/rooms.ts lets ${name} import upward: ${to}`];
    }),
  );
}

/** Folders with more than `maxFilesInFolder` files. `commands` is excepted: it has one file for each verb. */
function findFullFolders(paths: readonly string[]): readonly string[] {
  const counts = Map.groupBy(paths, (path) => dirname(path));
  return [...counts]
    .filter(([folder, files]) => files.length > maxFilesInFolder && folder !== 'commands')
    .map(([folder, { length }]) => `${folder}: ${length} files in one folder; split it by subject (at most ${maxFilesInFolder})`);
}

function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) cycles.push(`a cycle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at !== -1 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return cycles;
}
