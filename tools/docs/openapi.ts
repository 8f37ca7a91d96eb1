import { isDeepStrictEqual } from 'node:util';
import type { DescribedServer } from './list-api.ts';

/** The part of a JSON schema that the pages show. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** A parameter in a URL or after its `?`. */
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Content {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

/** The description of a route by its server. */
export interface Operation {
  readonly method: string;
  /** As in the code: `/models/:id/*`. */
  readonly url: string;
  readonly role: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly answers: readonly { readonly status: string; readonly description: string; readonly schema: Schema | undefined }[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

interface DescribedOperation {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content>>;
}

/** Every route that a server describes, in the order of its paths. */
export function listOperations({ openapi, routes }: DescribedServer): readonly Operation[] {
  return Object.entries((openapi as Document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([name, described]) => {
      const method = name.toUpperCase();
      const url = path.replaceAll(/\{([^}]+)\}/g, (_, parameter: string) => (parameter === '*' ? '*' : `:${parameter}`));
      const role = routes.find((route) => route.method === method && route.url === url)?.role;
      if (role === undefined) throw new Error(`${method} ${path} is described, and there is no such route`);
      // A GET with a HEAD is shown once.
      if (method === 'HEAD') return [];
      const { summary, parameters = [], requestBody, responses = {} } = described;
      if (summary === undefined) throw new Error(`${method} ${path} has no summary`);
      const answers = Object.entries(responses).map(([status, answer]) => ({
        status,
        description: answer.description ?? '',
        schema: schemaOf(answer),
      }));
      return { method, url, role, summary, parameters, body: requestBody && schemaOf(requestBody), answers };
    }),
  );
}

const schemaOf = ({ content = {} }: Content): Schema | undefined => Object.values(content)[0]?.schema;

/** Whether two servers describe one route in the same way. */
export const isSameOperation = (one: Operation, other: Operation): boolean => isDeepStrictEqual(one, other);
