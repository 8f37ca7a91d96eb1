import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HubRepo } from '../../../endpoint/contract.ts';
import { pointerText } from '../../../endpoint/view/file-identity.ts';
import { findFile } from '../../../endpoint/view/tree.ts';
import type { FileRequest } from '../../files/plan-file-response.ts';
import { addRoute, type OwnOptions } from '../add-route.ts';
import { sendHead } from '../answer-file.ts';
import type { HubRoutesOptions } from './add-hub-routes.ts';
import { hubTarget } from './hub-target.ts';
import { type Caching, contentOf, planHubFile } from './plan-hub-file.ts';
import { sendHubFile } from './send-hub-file.ts';
import { untilGone } from './until-gone.ts';

/** The bytes of files, at `resolve` and `raw`. */
export function addHubFileRoutes(app: FastifyInstance, options: HubRoutesOptions, own: OwnOptions): void {
  const answer = { ...own, answersHead: true } as const;
  addRoute(app, 'GET /:id/resolve/:revision/*', (request, reply) => answerFile(options, request, reply), answer);
  addRoute(app, 'GET /:id/raw/:revision/*', (request, reply) => answerFile(options, request, reply, { isRaw: true }), answer);
}

async function answerFile(
  { backend, sending, origins }: HubRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { isRaw = false }: { readonly isRaw?: boolean } = {},
): Promise<FastifyReply> {
  const { id, revision, path } = hubTarget(request);
  const asker = await origins.askerOf(request);
  const repo = await backend.repo({ id, revision }, asker, untilGone(reply));
  const file = findFile(repo, path);
  const asked = conditionsOf(request);
  const caching = await cachingOf(repo, revision, origins);
  const { lfs } = file;
  if (isRaw && lfs !== undefined) {
    const text = Buffer.from(pointerText({ sha256: lfs.sha256, size: file.size }));
    const plan = planHubFile(asked, { repo, path, bytes: { size: text.length, id: file.oid, isLinked: false }, caching });
    sendHead(reply, plan).raw.end(plan.range === null ? undefined : text.subarray(plan.range.start, plan.range.end));
    return reply;
  }
  const plan = planHubFile(asked, { repo, path, bytes: contentOf(file), caching });
  return sendHubFile({ backend, sending }, request, reply, { repo, file, plan, asker });
}

/** The conditions in a request for a file. */
export function conditionsOf({ method, headers }: FastifyRequest): FileRequest {
  const { range, 'if-range': ifRange, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return { method, range, ifRange: ifRange as string | undefined, ifMatch, ifNoneMatch };
}

/** An abbreviated commit may become ambiguous. */
const cachingOf = async ({ commit }: HubRepo, revision: string, { isPublic }: HubRoutesOptions['origins']): Promise<Caching> => ({
  isImmutable: revision === commit,
  isPublic: await isPublic(),
});
