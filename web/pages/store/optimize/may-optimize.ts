import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';

/** Labels of weights that are not quantized. */
const unquantized = /(?:^|[-_/])(?:F16|BF16|F32)(?:$|[-_./])/i;

/** Whether an engine could quantize a model: it has unquantized GGUF weights, or unquantized safetensors. Pure. */
export function mayOptimize({ model_id, tags, quantization, quantizations = [], files, hashed }: ShownModel): boolean {
  if (!hashed || tags.includes('optiq') || /optiq/i.test(model_id)) return false;
  if (quantizations.length > 0) return quantizations.some(({ selector }) => unquantized.test(selector));
  return quantization === null && files.some(({ path }) => path.endsWith('.safetensors'));
}
