import { type Document, type DocumentOptions, type ParseOptions, parseDocument, type SchemaOptions, type Tags } from 'yaml';

/*
 * The Python Skulk reads the same file, so a plain scalar must have the same meaning as in PyYAML: YAML 1.1 with merge keys, but `y` and
 * `n` are strings, `08` and `1e3` are too, and an exponent needs its sign. Source: `yaml/resolver.py` of PyYAML.
 */

type Tag = Exclude<Tags[number], string>;

/** PyYAML's patterns of tags for which the library's own YAML 1.1 accepts more; by tag and format. */
const tests: Readonly<Record<string, RegExp>> = {
  int: /^[-+]?(?:0|[1-9][0-9_]*)$/,
  'int OCT': /^[-+]?0[0-7_]+$/,
  'int TIME': /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/,
  float: /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$/,
  'float EXP': /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)[eE][-+][0-9]+$/,
  'float TIME': /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/,
};
const yes = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const no = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** There are no dates here, so a text that looks like one stays a text. */
const isDate = (tag: Tag): boolean => tag.tag === 'tag:yaml.org,2002:timestamp';

function asPyYaml(tags: Tags): Tags {
  return tags.flatMap((tag): Tags => {
    if (typeof tag === 'string') return [tag];
    if (isDate(tag)) return [];
    if (!('test' in tag) || tag.test === undefined) return [tag];
    const kind = tag.tag.replace('tag:yaml.org,2002:', '');
    if (kind === 'bool') return [{ ...tag, test: tag.test.test('true') ? yes : no } as Tag];
    // The test for infinity and not-a-number is right, and has no format either.
    if (kind === 'float' && tag.format === undefined && tag.test.test('.nan')) return [tag];
    const test = tests[tag.format === undefined ? kind : `${kind} ${tag.format}`];
    return [test === undefined ? tag : ({ ...tag, test } as Tag)];
  });
}

const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  schema: 'yaml-1.1',
  merge: true,
  customTags: asPyYaml,
  // skulk itself decides which of two duplicate keys counts.
  uniqueKeys: false,
  prettyErrors: false,
};

/** Parses a file like PyYAML; JSON as JSON. Ignores a byte order mark at its start. Errors are in `errors`. */
export function parseAsPyYaml(text: string, { path, ...more }: { readonly path: string } & ParseOptions): Document.Parsed {
  const own = path.endsWith('.json') ? { uniqueKeys: false, prettyErrors: false } : options;
  return parseDocument(text, { ...own, ...more });
}
