import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { errorBody } from '../../protocol/errors.ts';
import { queries } from '../../protocol/routes/query.ts';
import { type AnswerOfType, isOfType, type Route } from '../../protocol/routes/route.ts';
import { type RouteName, routes } from '../../protocol/routes/routes.ts';
import type { Schema } from '../../protocol/schema.ts';

/** The handler of a route. */
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** The server's own options of a route. */
export interface OwnOptions extends Pick<RouteOptions, 'bodyLimit' | 'errorHandler'> {
  /** It is requested very often, so its requests are not logged one by one. */
  readonly isRoutine?: true;
  /** It handles HEAD itself; otherwise HEAD gets the headers of GET. */
  readonly answersHead?: true;
  /** Its clients send tokens of other servers, which are ignored if the LAN may read anyway. */
  readonly isForStrangers?: true;
}

/**
 * Adds a route of the table to an app. A model's id in a URL may be two segments, as users write it; that second form is not documented.
 */
export function addRoute(
  app: FastifyInstance,
  name: RouteName,
  handler: Handler,
  { bodyLimit, errorHandler, isRoutine, answersHead, isForStrangers }: OwnOptions = {},
): void {
  const route: Route = routes[name];
  const [method = '', url = ''] = name.split(' ');
  const { role, isEndless, ownPagesOnly, changesNothing } = route;
  const options = {
    method: answersHead ? [method, 'HEAD'] : method,
    config: {
      role,
      ...(isRoutine && { isRoutine }),
      ...(isEndless && { isEndless }),
      ...(ownPagesOnly && { ownPagesOnly }),
      ...(changesNothing && { changesNothing }),
      ...(isForStrangers && { isForStrangers }),
    },
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(errorHandler !== undefined && { errorHandler }),
    ...(route.isBodyOptional && { preValidation: withBody }),
    exposeHeadRoute: method === 'GET' && isEndless !== true && answersHead !== true,
    handler,
  };
  app.route({ ...options, url, schema: schemaOf(route, url) });
  if (!hasTwoForms(name)) return;
  const hidden = route.body === undefined ? { hide: true } : { hide: true, body: route.body };
  app.route({ ...options, url: url.replace(':id', ':org/:name'), schema: hidden });
}

const withBody = async (request: FastifyRequest): Promise<void> => {
  request.body ??= {};
};

/** A model's files have a separate pattern, because their paths continue. Users do not type URLs of uploads. */
const hasTwoForms = (name: string): boolean =>
  /^(?:\w+ \/(?:store\/models|store\/hub|node\/stage|api\/models)|(?:POST|DELETE) \/models|GET )\/:id/.test(name);

/** The schema of a route in fastify's format. */
export function schemaOf({ summary, query = [], body, answers, failures = [], failureBody = errorBody }: Route, url: string): object {
  const parameters = url.includes(':id') ? { params: modelParams } : {};
  const given = query.map((one) => [one === 'replace' ? 'force' : one, queries[one]] as const);
  return {
    summary,
    ...parameters,
    ...(given.length > 0 && { querystring: { type: 'object', properties: Object.fromEntries(given) } }),
    ...(body !== undefined && { body }),
    response: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      ...Object.fromEntries(failures.map((status) => [status, failureBody])),
    },
  };
}

const modelParams = {
  type: 'object',
  properties: { id: { type: 'string', description: 'org%2Fname or name; org/name as two segments is the same' } },
} as const;

function answerOf(answer: Schema | AnswerOfType): object {
  if (!isOfType(answer)) return answer;
  const { type, schema = { type: 'string', format: 'binary' }, description = (schema as { description?: string }).description } = answer;
  return { description, content: { [type]: { schema } } };
}
