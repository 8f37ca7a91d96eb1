import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type HubAsker, HubRefusal, type HubRepo } from '../../../endpoint/contract.ts';
import { commitsOf, type ListQuery, listedInfo, modelInfo, refsOf, searchModels } from '../../../endpoint/view/model-info.ts';
import { listPaths, listTree } from '../../../endpoint/view/tree.ts';
import { mapYielding } from '../../../kernel/flow/yielding.ts';
import { addRoute, type OwnOptions } from '../add-route.ts';
import { sendJson } from '../json-cache.ts';
import type { HubRoutesOptions } from './add-hub-routes.ts';
import { hasFlag, hubTarget, isTrue } from './hub-target.ts';
import { untilGone } from './until-gone.ts';

/** The size limit of a list of paths, in bytes. */
const pathsBytes = 1024 * 1024;

/** The Hub's API for models. */
export function addHubModelRoutes(app: FastifyInstance, options: HubRoutesOptions, own: OwnOptions): void {
  const { backend, origins } = options;
  /** The model of a request, and its client. */
  const find = async (request: FastifyRequest, reply: FastifyReply): Promise<Found> => {
    const { id, revision } = hubTarget(request);
    const asker = await origins.askerOf(request);
    const signal = untilGone(reply);
    return { repo: await backend.repo({ id, revision }, asker, signal), asker, signal };
  };
  const describe = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { repo, asker, signal } = await find(request, reply);
    const facts = await backend.facts(repo, asker, signal);
    return sendJson(reply, modelInfo(repo, facts, { withBlobs: hasFlag(request, 'blobs') }));
  };
  const tree = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { repo } = await find(request, reply);
    const how = { isRecursive: hasFlag(request, 'recursive'), isExpanded: hasFlag(request, 'expand') };
    return sendJson(reply, listTree(repo, hubTarget(request).path.replace(/\/+$/, ''), how));
  };
  const list = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const found = searchModels(await backend.list(untilGone(reply)), listQuery(request));
    // With ten thousand models, other requests only wait for a moment.
    return sendJson(reply, await mapYielding(found, listedInfo));
  };
  addRoute(app, 'GET /api/models', list, own);
  addRoute(app, 'GET /api/models/:id', describe, own);
  addRoute(app, 'GET /api/models/:id/revision/:revision', describe, own);
  addRoute(app, 'GET /api/models/:id/tree/:revision', tree, own);
  addRoute(app, 'GET /api/models/:id/tree/:revision/*', tree, own);
  addRoute(
    app,
    'POST /api/models/:id/paths-info/:revision',
    async (request, reply) => {
      const { paths, isExpanded } = pathsOf(request.body);
      const { repo } = await find(request, reply);
      return sendJson(reply, listPaths(repo, paths, { isExpanded }));
    },
    { ...own, bodyLimit: pathsBytes },
  );
  const refs = async (request: FastifyRequest, reply: FastifyReply): Promise<object> =>
    refsOf((await find(request, reply)).repo, { withRequests: hasFlag(request, 'include_prs') });
  addRoute(app, 'GET /api/models/:id/refs', refs, own);
  addRoute(app, 'GET /api/models/:id/commits/:revision', async (request, reply) => commitsOf((await find(request, reply)).repo), own);
  addRoute(
    app,
    'GET /api/models/:id/auth-check',
    async (request, reply) => {
      await find(request, reply);
      return {};
    },
    own,
  );
  addRoute(app, 'GET /api/agent-harnesses', async () => ({ standardEnvVars: [], harnesses: {} }), own);
}

interface Found {
  readonly repo: HubRepo;
  readonly asker: HubAsker;
  readonly signal: AbortSignal;
}

const maxPaths = 10_000;

/** A form of Python, or JSON. Throws HubRefusal badRequest. */
function pathsOf(body: unknown): { readonly paths: readonly string[]; readonly isExpanded: boolean } {
  const { paths: given, expand } = (body ?? {}) as { readonly paths?: unknown; readonly expand?: unknown };
  const paths = [given ?? []].flat() as readonly unknown[];
  if (paths.length <= maxPaths && paths.every((path) => typeof path === 'string'))
    return { paths, isExpanded: isTrue([expand].flat().at(-1)) };
  throw new HubRefusal('badRequest', `"paths" must be a list of at most ${maxPaths} paths`);
}

/** The supported search parameters; others are the same for all models here. */
function listQuery({ query }: FastifyRequest): ListQuery {
  const asked = query as Readonly<Record<string, string | string[] | undefined>>;
  const all = (name: string): readonly string[] => [asked[name] ?? []].flat().flatMap((value) => value.split(','));
  const one = (name: string): string | undefined => [asked[name] ?? []].flat().at(-1);
  const limit = Number(one('limit') ?? Number.NaN);
  return {
    search: one('search'),
    author: one('author'),
    filters: ['filter', 'tags', 'library', 'pipeline_tag'].flatMap(all).filter((filter) => filter !== ''),
    sort: one('sort'),
    isAscending: one('direction') === '1',
    limit: Number.isSafeInteger(limit) && limit >= 0 ? limit : undefined,
  };
}
