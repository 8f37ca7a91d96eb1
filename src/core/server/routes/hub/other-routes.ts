import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HubRefusal } from '../../../endpoint/contract.ts';
import { isReserved } from '../../../endpoint/view/repo-ids.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { acceptsPage } from '../../access/require-role.ts';
import type { OwnOptions } from '../add-route.ts';
import type { HubRoutesOptions } from './add-hub-routes.ts';
import { hubTarget } from './hub-target.ts';

/** Sections of a Hub beside models, which this store does not have. */
const notModels = ['datasets', 'spaces', 'kernels', 'buckets'] as const;
const anyMethod = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const writing = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Answers for unsupported parts of a Hub: writes, git, everything beside models, and the page of a model. */
export function addOtherHubRoutes(app: FastifyInstance, { pageOf }: HubRoutesOptions, { errorHandler }: OwnOptions): void {
  const route = (
    method: string | string[],
    url: string,
    handler: (request: FastifyRequest, reply: FastifyReply) => unknown,
    { inOwnWords = false } = {},
  ): void => {
    const config = { role: 'read', isForStrangers: true, isForWhatIsLeft: true } as const;
    // Nothing needs the body, so it is not read.
    const answer = async (request: FastifyRequest, reply: FastifyReply) => handler(request, reply);
    app.route({
      method,
      url,
      config,
      schema: { hide: true },
      ...(errorHandler && !inOwnWords && { errorHandler }),
      preParsing: answer,
      handler: answer,
    });
  };
  const refuse = (kind: HubRefusal['kind'], message: string) => (): never => {
    throw new HubRefusal(kind, message);
  };
  route('GET', '/api/whoami-v2', refuse('unauthorized', 'Invalid user token.'));
  route(['GET', 'HEAD'], '/api/*', refuse('notFound', 'not found: this store answers only requests about models'));
  route(writing, '/api/*', refuse('readOnly', 'this store is read-only over the Hub protocol; use "skulk add"'));
  for (const kind of notModels) {
    const refusal = refuse('repoNotFound', 'this store holds models only');
    // For methods that write, `/api/*` has the more precise refusal.
    for (const url of [`/api/${kind}`, `/api/${kind}/*`]) route(['GET', 'HEAD'], url, refusal);
    route(anyMethod, `/${kind}/*`, refusal);
  }
  const noGit = (_: FastifyRequest, reply: FastifyReply): FastifyReply =>
    reply.code(403).type('text/plain; charset=utf-8').send('git is not served; use hf download or skulk stage\n');
  for (const id of ['/:id', '/:org/:name']) {
    for (const url of [`${id}/info/refs`, `${id}/HEAD`]) route(['GET', 'HEAD'], url, noGit);
    for (const url of [`${id}/git-upload-pack`, `${id}/git-receive-pack`, `${id}/info/lfs/*`]) route(['POST', 'PUT'], url, noGit);
  }
  if (pageOf === undefined) return;
  const showPage = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const page = asksForPage(request) ? pageOf(request) : undefined;
    if (page !== undefined) return reply.code(302).header('Location', page).header('Cache-Control', 'no-cache').send();
    throw new SkulkError('NOT_FOUND', 'there is nothing here', { hint: 'GET /openapi.json lists what this server answers' });
  };
  for (const id of ['/:id', '/:org/:name'])
    for (const url of [id, `${id}/tree/:revision`, `${id}/tree/:revision/*`, `${id}/blob/:revision/*`])
      route(['GET', 'HEAD'], url, showPage, { inOwnWords: true });
}

/** Whether a browser requests the page of a model. */
function asksForPage(request: FastifyRequest): boolean {
  const [first = ''] = hubTarget(request).id.split('/');
  return !isReserved(first) && acceptsPage(request.headers.accept);
}
