import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The part of JSON schema that documents use; see src/core/protocol/schema.ts. */
interface Plain {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Plain[];
  readonly items?: Plain;
  readonly properties?: Readonly<Record<string, Plain>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Plain>>;
}

/** The types of checked texts, and the files that declare them. */
const brands: Readonly<Record<string, readonly [name: string, path: string]>> = {
  'model-id': ['ModelId', 'core/kernel/model-id.ts'],
  'node-id': ['NodeId', 'core/kernel/machine/node-id.ts'],
  sha256: ['Sha256', 'core/kernel/sha256.ts'],
  'relative-path': ['RelativePath', 'core/kernel/files/relative-path.ts'],
  'error-code': ['ErrorCode', 'core/kernel/errors.ts'],
};

/**
 * The declarations of the documents of a file, written from their schemas: a program that uses skulk does not have the package with the
 * types of the schemas.
 * @param path of the file, below `src`
 * @throws Error for a document whose schema the file does not export
 */
export async function declareDocuments(source: string, path: string): Promise<string> {
  const text = readFileSync(`${source}/${path}`, 'utf8');
  const schemas = (await import(pathToFileURL(`${source}/${path}`).href)) as Record<string, Plain>;
  const used = new Set<string>();
  const types = [...text.matchAll(/^export type (\w+) = Shape<typeof (\w+)>;$/gm)].map(([, name = '', constant = '']) => {
    const comment = new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)(?:export )?const ${constant}\\b`).exec(text)?.[1] ?? '';
    const schema = schemas[constant];
    if (schema === undefined) throw new Error(`${path} does not export ${constant}, the schema of ${name}`);
    return `${comment}export type ${name} = ${typeOf(schema, '', used)};`;
  });
  const imports = [...used].map((format) => {
    const [name, from] = brands[format] ?? ['', ''];
    return `import type { ${name} } from '${relative(path.replace(/[^/]+$/, ''), from)}';`;
  });
  return [...imports, ...types, ''].join('\n');
}

function typeOf(schema: Plain, indent: string, used: Set<string>): string {
  const { anyOf, items, properties, required = [], patternProperties, format = '' } = schema;
  const within = (one: Plain): string => typeOf(one, indent, used);
  if (anyOf !== undefined) return anyOf.map(within).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (items !== undefined) return `readonly (${within(items)})[]`;
  if (properties !== undefined) {
    const inner = `${indent}    `;
    const fields = Object.entries(properties).map(([key, value]) => {
      const comment = value.description === undefined ? '' : `${inner}/** ${value.description.replaceAll('*/', '* /')} */\n`;
      return `${comment}${inner}readonly ${key}${required.includes(key) ? '' : '?'}: ${typeOf(value, inner, used)};`;
    });
    return `{\n${fields.join('\n')}\n${indent}}`;
  }
  if (patternProperties !== undefined) return `Readonly<Record<string, ${within(Object.values(patternProperties)[0] ?? {})}>>`;
  if (brands[format] !== undefined) {
    used.add(format);
    return brands[format][0];
  }
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    default:
      return 'unknown';
  }
}
