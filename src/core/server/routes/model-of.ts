import type { FastifyRequest } from 'fastify';
import { type ModelId, parseModelId, parseSelector } from '../../kernel/model-id.ts';

/** The model in a URL, as `:id` or as `:org/:name`. Throws BAD_MODEL_ID. */
export function modelOf({ params }: FastifyRequest): ModelId {
  const { id, org, name } = params as { id?: string; org?: string; name?: string };
  return parseModelId(id ?? `${org}/${name}`);
}

/** The quantization in a URL as `:selector`: a label, or the path of a file. Throws USAGE, BAD_PATH. */
export const selectorOf = ({ params }: FastifyRequest): string => parseSelector((params as { selector: string }).selector);
