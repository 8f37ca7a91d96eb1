import { table } from '../../src/cli/docs/markdown.ts';
import { errorCodes } from '../../src/core/kernel/errors.ts';
import type { DescribedServer } from './list-api.ts';
import { isSameOperation, listOperations, type Operation, type Schema } from './openapi.ts';

/** `docs/http.md`: every route of the two servers, from their own descriptions. */
export function httpPage({ store, api }: { readonly store: DescribedServer; readonly api: DescribedServer }): string {
  const ofStore = listOperations(store);
  const ofApi = listOperations(api);
  const isIn = (list: readonly Operation[], one: Operation): boolean => list.some((other) => isSameOperation(one, other));
  const both = ofStore.filter((one) => isIn(ofApi, one));
  return [
    '# HTTP',
    '',
    'This page is generated from the schemas of the routes (`npm run docs`). A running server answers the same at `GET /openapi.json`.',
    '',
    'A store host has two servers. The **file server** (port 58080) holds the models and is what machines talk to. The **API**',
    '(port 52415) runs on every machine with `skulk serve`; the page in the browser and other programs use it. A node passes what',
    'concerns the store on to the store host. The last section has the routes that both ports answer.',
    '',
    '- A model id in a URL is one segment (`org%2Fname`) or two (`org/name`). The routes below show one.',
    '- Bodies and answers are JSON, but for the bytes of files and streams of events. Sizes are bytes, times are ISO 8601 in UTC.',
    '- Answers may have more fields than are named here. Clients must ignore fields that they do not know.',
    '- The role that a route needs is explained in [security.md](security.md). A token goes into `Authorization: Bearer TOKEN`.',
    '- Each `GET` also answers to `HEAD`, except for streams that do not end.',
    '- The routes below `/api/`, `/ORG/NAME/resolve` and `/ORG/NAME/raw` are those of the Hugging Face Hub. They answer failures as the Hub',
    '  does: [hub-endpoint.md](hub-endpoint.md).',
    '',
    '## Failures',
    '',
    'Every failure has the body `{"detail","code","hint"}`: a sentence, a stable code and a suggestion (or null). `Retry-After` says how many',
    'seconds to wait, if known. A server can also answer 405 with `Allow` for another method, 414 for a URL over',
    '8 KiB and 431 for headers over 16 KiB. Each route with a body can answer 413 if the body is larger than this route takes (64 KiB for most).',
    'It answers 415 to another content type than `application/json`, or `application/octet-stream` for the bytes of an upload.',
    '',
    ...table(
      ['status', 'codes'],
      statusRows().map(([status, codes]) => [status, codes.map((code) => `\`${code}\``).join(', ')]),
    ),
    '',
    ...section(
      'The file server (58080)',
      ofStore.filter((one) => !isIn(both, one)),
    ),
    ...section(
      'The API (52415)',
      ofApi.filter((one) => !isIn(both, one)),
    ),
    ...section('On both ports of a store host', both),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function statusRows(): readonly (readonly [status: string, codes: readonly string[]])[] {
  const rows = Map.groupBy(Object.entries(errorCodes), ([, { http }]) => http);
  return [...rows].toSorted(([a], [b]) => a - b).map(([status, entries]) => [String(status), entries.map(([code]) => code)] as const);
}

const section = (title: string, operations: readonly Operation[]): readonly string[] => [
  `## ${title}`,
  '',
  ...operations.flatMap(describeOperation),
];

function describeOperation({ method, url, role, summary, parameters, body, answers }: Operation): readonly string[] {
  const inUrl = parameters.filter((one) => one.in === 'path' && one.description !== undefined);
  const inQuery = parameters.filter((one) => one.in === 'query');
  const good = answers.filter(({ status }) => Number(status) < 400);
  const failures = answers.filter(({ status }) => Number(status) >= 400).map(({ status }) => status);
  const parts = [
    ...inUrl.map(({ name, description = '' }) => `- in the path \`${name}\`: ${description}`),
    ...inQuery.map(
      ({ name, description, schema }) => `- query \`${name}\`${typeOf(schema)}${suffixOf(description ?? schema?.description)}`,
    ),
    ...(body === undefined ? [] : [`- body${typeOf(body)}${suffixOf(body.description)}`, ...fields(body, 1, 'body')]),
    ...good
      // Without a schema the document has a default answer without content.
      .filter(({ schema }) => schema !== undefined)
      .flatMap(({ status, schema }) => [`- ${status}${typeOf(schema)}${suffixOf(schema?.description)}`, ...fields(schema, 1, 'answer')]),
    ...(failures.length === 0 ? [] : [`- failures: ${failures.join(', ')}`]),
  ];
  return [`### \`${method} ${url}\``, '', `${summary}. Role: **${role}**.`, '', ...parts, ...(parts.length === 0 ? [] : [''])];
}

const deepest = 3;

/** The fields of a schema as a list; deeply nested ones are only in `openapi.json`. */
function fields(schema: Schema | undefined, depth: number, of: 'body' | 'answer'): readonly string[] {
  if (schema === undefined || depth > deepest) return [];
  if (schema.items !== undefined) return fields(schema.items, depth, of);
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((one) => fields(one, depth, of));
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isRequired = schema.required?.includes(name) === true;
    // Most fields of a body are optional, and few of an answer.
    const note = of === 'body' && isRequired ? ', required' : of === 'answer' && !isRequired ? ', may be absent' : '';
    return [`${'  '.repeat(depth)}- \`${name}\`${typeOf(field)}${note}${suffixOf(field.description)}`, ...fields(field, depth + 1, of)];
  });
}

function typeOf(schema: Schema | undefined): string {
  const name = typeName(schema);
  return name === '' ? '' : ` (${name})`;
}

function typeName(schema: Schema | undefined): string {
  if (schema === undefined) return '';
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeName))].join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return `one of ${schema.enum.map((one) => `\`${String(one)}\``).join(', ')}`;
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return '';
  const of = typeName(schema.items);
  return `${types.join(' or ')}${of === '' ? '' : ` of ${of}`}`;
}

const suffixOf = (description: string | undefined): string =>
  description === undefined || description === '' || description === 'Default Response' ? '' : `: ${description}`;
