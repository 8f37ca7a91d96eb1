import type { FastifyServerOptions } from 'fastify';

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** What fastify gives of a route; the types that it has for this speak of a bare schema. */
interface RoutePart {
  readonly schema: object;
  readonly httpPart?: string;
}

/**
 * How routes use their schemas. A body is checked by a function that is made at the first request that has one: made at the start,
 * and with what fastify brings for it, they are a quarter of the time that a server takes to be ready. What stands in a URL is
 * checked by its own gates, and answers are documented by their schemas, not cut down to them.
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
    throw new Error(`${httpPart}${fault}`);
  };
}
