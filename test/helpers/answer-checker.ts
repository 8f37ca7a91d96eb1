import { expect } from 'vitest';
import { listenTo } from './event-source.ts';
import { ask } from './raw-http.ts';
import { acceptsAnything, type DescribedSchema, strictCheckOf } from './strict-schema.ts';

/** The request to a route, and its expected status (200 by default). */
export interface CheckedRequest {
  /** An object is sent as JSON. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** Sends requests to the routes of some servers and compares each answer with its description, key by key. */
export interface AnswerChecker<Server extends string> {
  /**
   * Fails the test when the status is different.
   * @param route the method and the pattern: `GET /models/:id/files`
   * @returns the answer; for lines of JSON the last one
   */
  request<T>(server: Server, route: string, target: string, request?: CheckedRequest): Promise<T>;
  /** The same for events: compares the first one of each name. */
  listen(server: Server, url: string, names: readonly string[]): Promise<void>;
  /** The same for lines of JSON without an end: compares the first one. */
  readLine(server: Server, route: string, target: string): Promise<void>;
  /** Differences from the descriptions, as `METHOD /path (server): why`. */
  readonly faults: readonly string[];
  /** The described routes that no test has requested. */
  unasked(server: Server): readonly string[];
}

type Content = Readonly<Record<string, { readonly schema?: DescribedSchema }>>;
type Answers = Readonly<Record<string, { readonly content?: Content }>>;
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Answers }>>>>;
}

/** Answers of bytes or of nothing, which have no schema. */
export const hasNoDocument = (route: string): boolean =>
  /^(?:GET \/models\/:id\/\*|GET \/:id\/(?:resolve|raw)\/:revision\/\*|GET \/v2\/:org\/:name\/blobs\/:digest|GET \/swarm\/announce|GET \/downloads\/:id\/chunks\/:run\/:number|PUT \/uploads\/:id\/:digest\/:file\/:start)$/.test(
    route,
  );

/** @param servers the URL of each, and its credentials */
export async function answerChecker<Server extends string>(
  servers: Readonly<Record<Server, { readonly url: string; readonly bearer: string }>>,
): Promise<AnswerChecker<Server>> {
  const names = Object.keys(servers) as Server[];
  const described = new Map(await Promise.all(names.map(async (name) => [name, (await openapiOf(servers[name].url)).paths] as const)));
  const faults: string[] = [];
  const asked = new Set<string>();
  const headersOf = (server: Server) => ({ Authorization: `Bearer ${servers[server].bearer}` });

  /** Compares values with the schema of the server for them. */
  const compare = (
    server: Server,
    route: string,
    { status, type, values }: { status: number; type: string; values: readonly unknown[] },
  ) => {
    asked.add(`${server} ${route}`);
    const refuse = (why: string): void => void faults.push(`${route} (${server}): ${why}`);
    const [method = '', url = ''] = route.split(' ');
    const content = described.get(server)?.[pathOf(url)]?.[method.toLowerCase()]?.responses[status]?.content ?? {};
    const { schema } = content[type] ?? {};
    if (schema === undefined || acceptsAnything(schema)) return refuse(`it does not say what it answers as ${type}`);
    const check = strictCheckOf(schema);
    for (const value of values) if (!check(value)) refuse((check.errors ?? []).map(sentenceOf).join('; '));
  };

  return {
    faults,
    request: async <T>(server: Server, route: string, target: string, { body, headers = {}, status = 200 }: CheckedRequest = {}) => {
      const [method = ''] = route.split(' ');
      const isBytes = body instanceof Uint8Array;
      const answer = await ask(servers[server].url, target, {
        method,
        headers: { ...headersOf(server), ...(body !== undefined && { 'Content-Type': typeOf(body) }), ...headers },
        ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
      });
      const text = answer.body.toString('utf8');
      expect([server, route, answer.status, text.slice(0, 500)]).toEqual([server, route, status, expect.anything()]);
      if (hasNoDocument(route)) {
        asked.add(`${server} ${route}`);
        return undefined as T;
      }
      const type = String(answer.headers['content-type']).split(';')[0] ?? '';
      const values: readonly unknown[] = type.endsWith('ndjson')
        ? text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown)
        : [answer.json()];
      compare(server, route, { status, type, values });
      return values.at(-1) as T;
    },
    listen: async (server, url, topics) => {
      const stream = await listenTo(`${servers[server].url}${url}`, headersOf(server));
      const values = await Promise.all(topics.map(async (name) => ({ [name]: await stream.until(name, () => true) })));
      stream.close();
      compare(server, `GET ${url}`, { status: 200, type: 'text/event-stream', values });
    },
    readLine: async (server, route, target) => {
      const { body, headers } = await fetch(`${servers[server].url}${target}`, { headers: headersOf(server) });
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
      const { value = '' } = (await reader?.read()) ?? {};
      await reader?.cancel();
      const type = headers.get('content-type')?.split(';')[0] ?? '';
      compare(server, route, { status: 200, type, values: [JSON.parse(value.split('\n')[0] ?? '')] });
    },
    unasked: (server) =>
      Object.entries(described.get(server) ?? {})
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${server} ${method.toUpperCase()} ${urlOf(path)}`))
        .filter((name) => !name.includes(' HEAD ') && !asked.has(name)),
  };
}

const openapiOf = async (url: string): Promise<OpenApi> => (await ask(url, '/openapi.json')).json() as OpenApi;
const pathOf = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}').replaceAll('*', '{*}');
const urlOf = (path: string): string => path.replaceAll('{*}', '*').replaceAll(/\{(\w+)\}/g, ':$1');
const typeOf = (body: object): string => (body instanceof Uint8Array ? 'application/octet-stream' : 'application/json');
const sentenceOf = ({ instancePath, message, params }: { instancePath: string; message?: string | undefined; params: object }): string =>
  `${instancePath} ${message} ${JSON.stringify(params)}`;
