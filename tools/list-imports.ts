import { dirname, join } from 'node:path/posix';
import { parseSync } from 'oxc-parser';

/** One import of a file. */
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

/** The file of a relative import; paths are below src, those of the browser view begin with `web/`. */
export const resolveImport = (path: string, specifier: string): string => join(dirname(path), specifier).replace(/^src\//, '');
