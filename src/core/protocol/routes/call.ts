import type { RouteName } from './routes.ts';

/** The parameters of a pattern. */
type ParametersOf<Name extends string> = Name extends `${string}:${infer Parameter}/${infer Rest}`
  ? Parameter | ParametersOf<`/${Rest}`>
  : Name extends `${string}:${infer Parameter}`
    ? Parameter
    : never;

/** A request line for a client. */
export interface RouteCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query, escaped. */
  readonly path: string;
}

/**
 * The method and the URL of a route of the table.
 * @param values the values in the URL; an undefined or false query value is omitted
 */
export function callOf<Name extends RouteName>(
  name: Name,
  values: Readonly<Record<ParametersOf<Name>, string | number>>,
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): RouteCall {
  const [method = '', pattern = ''] = name.split(' ');
  const path = pattern.replaceAll(/:(\w+)/g, (_, parameter: string) =>
    encodeURIComponent((values as Record<string, string | number>)[parameter] ?? ''),
  );
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === false ? [] : [[key, String(value)] as [string, string]],
  );
  return { method: method as RouteCall['method'], path: given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}` };
}
