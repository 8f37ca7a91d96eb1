import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatCompanions } from '../../catalog/companions.ts';
import { formatProblems } from '../../catalog/contents/problem-header.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HostSwarms } from '../../swarm/host-swarms.ts';
import { matches } from '../files/plan-file-response.ts';
import { sendJson } from './json-cache.ts';

/**
 * Answers with the manifest of a model: 304 if the node already has it, 202 while the store is hashing the model's files.
 * @param hasOrders whether a node should ask for orders; sent in a header
 * @param swarms says in another header whether nodes may share the model
 * @throws SkulkError MODEL_NOT_FOUND
 */
export async function answerManifest(
  {
    store,
    hasOrders,
    swarms,
  }: {
    readonly store: LocalStore;
    readonly hasOrders: (nodeId: unknown) => Promise<boolean>;
    readonly swarms?: Pick<HostSwarms, 'isOffered'> | undefined;
  },
  request: FastifyRequest,
  reply: FastifyReply,
  modelId: ModelId,
): Promise<FastifyReply> {
  const { 'if-none-match': condition, 'skulk-node': node } = request.headers;
  if (await hasOrders(node)) reply.header('Skulk-Orders', 'pending');
  const known = /^"([^"]*)"$/.exec(condition?.trim() ?? '')?.[1];
  const answer = await store.manifest(modelId, isSha256(known) ? { knownDigest: known } : {});
  if (answer.state !== 'hashing' && answer.companions.length > 0) reply.header('Skulk-Companions', formatCompanions(answer.companions));
  if (answer.state !== 'hashing' && answer.pin !== undefined) reply.header('Skulk-Gguf-File', encodeURIComponent(answer.pin));
  if (answer.state !== 'hashing' && answer.problems !== undefined) reply.header('Skulk-Problems', formatProblems(answer.problems));
  if (answer.state === 'unchanged') return reply.code(304).header('ETag', `"${known}"`).send();
  if (answer.state === 'hashing') {
    const seconds = Math.max(1, Math.ceil(answer.retryAfterMs / 1000));
    return reply.code(202).header('Retry-After', String(seconds)).send({ state: 'hashing', retry_after_ms: answer.retryAfterMs });
  }
  if ((await swarms?.isOffered(answer.manifest)) === true) reply.header('Skulk-Swarm', 'offered');
  const etag = `"${answer.manifest.digest}"`;
  reply.header('ETag', etag).header('Cache-Control', 'no-cache');
  return condition !== undefined && matches(condition, etag, 'weak') ? reply.code(304).send() : sendJson(reply, answer.manifest);
}
