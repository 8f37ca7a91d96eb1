import type { FastifyServerOptions } from 'fastify';

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** What fastify passes for a route; its own types assume a bare schema. */
interface RoutePart {
  readonly schema: object;
  readonly httpPart?: string;
}

/**
 * How routes use their schemas. A body's validator is compiled at the first request with a body: fastify's own one, compiled at the
 * start, takes a quarter of the server's start time. URL parameters have their own validation. Answers are only documented by their
 * schemas, not filtered.
 */
export const compilers = {
  buildValidator: () => checkerOf,
  buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
} as unknown as Compilers;

function checkerOf({ schema, httpPart }: RoutePart): (value: unknown) => boolean | Promise<boolean> {
  if (httpPart !== 'body') return () => true;
  let findFault: ((value: unknown) => string | undefined) | undefined;
  return async (value) => {
    findFault ??= (await import('../../kernel/validate.ts')).faultFinderOf(schema);
    const fault = findFault(value);
    if (fault === undefined) return true;
    throw new Error(fault);
  };
}
