import { dirname, join } from 'node:path/posix';
import { parseSync } from 'oxc-parser';
import { doors, rooms } from './rooms.ts';

/** One import as it stands in a file. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Everything that a TypeScript text imports: statements, re-exports, `import()` of values and of types. */
export function listImports(text: string, name = 'file.ts'): readonly Import[] {
  const { module } = parseSync(name, text);
  const ofStatements = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    typeOnly: entries.length > 0 && entries.every(({ isType }) => isType),
  }));
  const ofExports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) => (moduleRequest ? [{ specifier: moduleRequest.value, typeOnly: isType }] : [])),
  );
  const ofCalls = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const literal = /^(['"`])(.*)\1$/s.exec(text.slice(start, end));
    return literal?.[2] === undefined ? [] : [{ specifier: literal[2], typeOnly: false }];
  });
  return [...ofStatements, ...ofExports, ...ofCalls];
}

/**
 * What breaks the table of rooms, one sentence each.
 * @param files texts by path below src, with `/` between its parts; those of the browser view begin with `web/`
 */
export function findTrespasses(files: ReadonlyMap<string, string>): readonly string[] {
  const graph = new Map<string, readonly string[]>();
  const faults = [...files].flatMap(([path, text]) => {
    const imports = listImports(text, path);
    graph.set(
      path,
      imports
        .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
        .map(({ specifier }) => join(dirname(path), specifier)),
    );
    return imports.flatMap((one) => judge(path, one)).map((fault) => `${path}: ${fault}`);
  });
  return [...faults, ...findCycles(graph)];
}

function judge(path: string, { specifier, typeOnly }: Import): readonly string[] {
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
  const target = join(dirname(path), specifier);
  const to = roomOf(target);
  if (to === from) return [];
  const allowed = [...room.values, ...(typeOnly ? (room.types ?? []) : []), ...(room.doors?.[path] ?? [])];
  if (allowed.some((place) => place === to || target.startsWith(`${place}.`) || target.startsWith(`${place}/`))) return [];
  return [`${from} may not import ${target}${typeOnly ? '' : room.types?.includes(to ?? '') ? ' but as a type' : ''}`];
}

function roomOf(path: string): string | undefined {
  if (path === 'index.ts') return path;
  const parts = path.split('/');
  if (parts.length < 2 || parts[0]?.startsWith('.')) return undefined;
  return parts[0] === 'core' || parts[0] === 'web' ? parts.slice(0, 2).join('/') : parts[0];
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
