import type { FastifyRequest } from 'fastify';
import type { HubRef } from '../../../endpoint/contract.ts';

/** The target of a Hub client's request. */
export interface HubTarget extends Required<Pick<HubRef, 'id'>> {
  readonly revision: string;
  /** The path of a file or a directory, decoded once; empty if there is none. A `+` is a plus. */
  readonly path: string;
}

/** The target in a route's parameters: the model as `:id` or as `:org/:name`, `:revision` and `*`. */
export function hubTarget({ params }: Pick<FastifyRequest, 'params'>): HubTarget {
  const { id, org, name, revision = 'main', '*': path = '' } = params as Readonly<Record<string, string>>;
  return { id: id ?? `${org}/${name}`, revision, path };
}

/** Whether a flag is set in a query: clients write `true`, `True` and `1`. */
export function hasFlag({ query }: Pick<FastifyRequest, 'query'>, name: string): boolean {
  const value = (query as Readonly<Record<string, unknown>>)[name];
  return isTrue(Array.isArray(value) ? value.at(-1) : value);
}

/** Whether a value of a form, a query or JSON is true. */
export const isTrue = (value: unknown): boolean => value === true || (typeof value === 'string' && /^(?:true|1)$/i.test(value));
