import type { EnginePlan } from '../engines/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { type ModelId, parseModelId } from '../kernel/model-id.ts';

/**
 * The default id of a variant: `org/name-Q4_K_M-GGUF`, `org/name-OptiQ-4.5bpw`, `org/name-4bit`. The format of the source's weights is
 * removed from its name.
 * @throws SkulkError BAD_REQUEST if it would be too long
 */
export function nameTarget(modelId: ModelId, { suffix, isGguf }: Pick<EnginePlan, 'suffix' | 'isGguf'>): ModelId {
  const name = isGguf ? `${withoutFormat(modelId)}${suffix}-GGUF` : `${modelId}${suffix}`;
  try {
    return parseModelId(name);
  } catch (error) {
    throw new SkulkError('BAD_REQUEST', `the result cannot be named ${name}: ${(error as Error).message}`, {
      hint: 'choose another name with --as',
      cause: error,
    });
  }
}

/** The name without a `-GGUF` at the end, and without the precision before it. */
export const withoutFormat = (name: string): string => name.replace(/-GGUF$/i, '').replace(/[-.](?:B?F16|F32|FP16|FP32)$/i, '');

/** The base name of a variant's files. */
export const baseNameOf = (modelId: ModelId): string => withoutFormat(modelId.slice(modelId.indexOf('/') + 1));
