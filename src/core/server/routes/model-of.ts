import type { FastifyRequest } from 'fastify';
import { type ModelId, parseModelId } from '../../kernel/model-id.ts';

/** The model that a URL names, as `:id` or as `:org/:name`. Throws BAD_MODEL_ID. */
export function modelOf({ params }: FastifyRequest): ModelId {
  const { id, org, name } = params as { id?: string; org?: string; name?: string };
  return parseModelId(id ?? `${org}/${name}`);
}
