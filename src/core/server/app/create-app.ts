import type { Socket } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { pino } from 'pino';
import { HubRefusal } from '../../endpoint/contract.ts';
import { RegistryRefusal } from '../../endpoint/registry/refusal.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import type { Access } from '../access/access.ts';
import type { Activity } from '../access/activity.ts';
import { logChanges } from '../access/log-changes.ts';
import { requireRoles } from '../access/require-role.ts';
import { answerInTurn } from '../connections/answer-in-turn.ts';
import { boundConnections } from '../connections/bound-connections.ts';
import { answerHubError } from '../routes/hub/hub-error.ts';
import { answerRegistryError } from '../routes/hub/registry-error.ts';
import { refuseUnclean } from '../routes/hub/unclean-target.ts';
import { addSessionRoutes } from '../routes/session-routes.ts';
import { allowedMethods } from './allowed-methods.ts';
import { compilers } from './compilers.ts';
import { describeRoutes } from './describe-routes.ts';
import { answerError, type ErrorAnswer } from './error-body.ts';
import type { Limits } from './limits.ts';
import { refuseDeep } from './refuse-deep.ts';
import { refuseWebPages } from './refuse-web-pages.ts';
import { refuseBadTarget, routableTarget } from './request-target.ts';
import { closeOnlyIdleConnections } from './stop-app.ts';

/** How a server logs: structured lines on stderr, or on `stream`. */
export interface LogOptions {
  readonly logLevel?: string | undefined;
  readonly stream?: { write(line: string): void } | undefined;
}

/**
 * A line of JSON with all characters escaped that could control a terminal. JSON leaves some of them: the second set of control
 * characters, which raw bytes in a URL become, and those that change the direction of text. Pure.
 */
const escapeControls = (line: string): string =>
  line.replaceAll(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The common options of the two servers. */
export interface AppOptions extends LogOptions {
  readonly title: string;
  readonly version: string;
  readonly limits: Limits;
  /** Decides about rights. */
  readonly access: Access;
  readonly hostname: string;
  /** The names of this machine beside its addresses. */
  readonly names?: readonly string[] | undefined;
  /** Where changes are noted for people. */
  readonly activity?: Activity | undefined;
  /** Rewords an error before it is sent. */
  readonly reword?: (error: unknown) => unknown;
  /** On the API: the URL of the store if it is known, for clients that took the port of the API for that of the store. */
  readonly storeUrl?: (() => string | null) | undefined;
}

/** An empty fastify app with limits, logging, roles, a common error format, `GET /openapi.json` and `/session`. */
export async function createApp({
  title,
  version,
  limits,
  access,
  hostname,
  names = [],
  activity,
  reword = (error) => error,
  storeUrl,
  logLevel = 'info',
  stream,
}: AppOptions): Promise<FastifyInstance> {
  const options = { level: logLevel, redact: ['req.headers.authorization', '*.authorization', 'authorization'] };
  const sink = stream ?? pino.destination({ fd: 2, sync: true });
  const logger: FastifyBaseLogger = pino(options, { write: (line) => void sink.write(escapeControls(line)) });
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(2000, limits.headersTimeoutMs),
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: limits.urlBytes },
    schemaController: { compilersFactory: compilers },
    rewriteUrl: routableTarget,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => void send(reply, { ...answerError(error), status: 400 }),
  });
  answerInTurn(app.server);
  boundConnections(app.server, limits);
  app.server.on('connect', (_request, socket) => refuseConnection(new Error('CONNECT'), socket as Socket));
  closeOnlyIdleConnections(app);
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined);
    return parseJson(request, body as string, (error, value) => {
      try {
        if (error === null) refuseDeep(value);
        done(error, value);
      } catch (tooDeep) {
        done(tooDeep as Error);
      }
    });
  });
  app.addHook('onRequest', async (request) => {
    try {
      refuseBadTarget(request.raw);
    } catch (error) {
      throw (error instanceof SkulkError && error.code === 'BAD_PATH' ? refuseUnclean(request.originalUrl) : undefined) ?? error;
    }
    if (request.originalUrl.length <= limits.urlBytes) return;
    throw Object.assign(new Error(`the URL is longer than ${limits.urlBytes} bytes`), { statusCode: 414 });
  });
  logChanges(app, activity);
  refuseWebPages(app, { names, further: access.serverNames });
  requireRoles(app, access, { hostname });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug(
      { method: request.method, url: request.originalUrl, status: reply.statusCode, from: request.ip, ms: Math.round(reply.elapsedTime) },
      'answered',
    );
  });
  const store = () => (storeUrl === undefined ? {} : { store_url: storeUrl() });
  app.setErrorHandler<FastifyError>(async (given, request, reply) => {
    const error = hasLeft(given, request) ? new SkulkError('INTERRUPTED', 'the client disconnected', { cause: given }) : given;
    // The rejected target belonged to a Hub client.
    if (error instanceof HubRefusal || error instanceof RegistryRefusal) {
      reply.header('Cross-Origin-Resource-Policy', 'same-origin');
      return error instanceof HubRefusal ? answerHubError(error, request, reply) : answerRegistryError(error, request, reply);
    }
    const answer = answerError(reword(error), { bodyLimit: request.routeOptions.bodyLimit });
    request.failure = answer.body.code;
    if (answer.body.code === 'INTERNAL')
      request.log.error({ err: error, method: request.method, url: request.originalUrl }, 'unexpected error');
    else if (answer.status >= 500)
      request.log.warn({ code: answer.body.code, method: request.method, url: request.originalUrl }, answer.body.detail);
    await send(reply, answer.body.code === 'NOT_FOUND' ? { ...answer, body: { ...answer.body, ...store() } } : answer);
  });
  const allowed = allowedMethods(app);
  app.setNotFoundHandler(async (request, reply) => {
    const methods = allowed(request.url);
    // A slash at the end is removed, so a URL such as `/org/name/resolve/main/` only looks like the route of a file.
    if (methods.length === 0 || methods.includes(request.method))
      throw new SkulkError('NOT_FOUND', 'not found', { hint: 'GET /openapi.json lists the routes of this server' });
    const detail = `${request.method} is not supported here`;
    request.failure = 'BAD_REQUEST';
    await reply
      .code(405)
      .header('Allow', methods.join(', '))
      .send({ detail, code: 'BAD_REQUEST', hint: `use ${methods.join(' or ')}`, ...store() });
  });
  describeRoutes(app, { title, version });
  addSessionRoutes(app, access, { hostname });
  return app;
}

async function send(reply: FastifyReply, { status, headers, body }: ErrorAnswer): Promise<void> {
  await reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
}

function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, detail] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request took too long to arrive']
        : ['400 Bad Request', 'the request is not valid HTTP'];
  const body = JSON.stringify({ detail, code: 'BAD_REQUEST', hint: null });
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

/** Whether the body of a request ended early, because its client disconnected. */
function hasLeft(error: unknown, { raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete && isSystemError(error, 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE');
}
