/** Number types with one parameter per number. */
const plainTypes: ReadonlySet<unknown> = new Set(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2']);

/**
 * The number of parameters in the header of a safetensors file; undefined for packed weights, where several share a number. Pure. Source:
 * https://github.com/huggingface/safetensors#format
 */
export function countTensors(head: unknown): number | undefined {
  if (typeof head !== 'object' || head === null) return undefined;
  let total = 0;
  for (const [name, tensor] of Object.entries(head)) {
    if (name === '__metadata__') continue;
    const { dtype, shape } = (tensor ?? {}) as { dtype?: unknown; shape?: unknown };
    if (!plainTypes.has(dtype) || !Array.isArray(shape)) return undefined;
    total += shape.reduce<number>((product, size) => product * (typeof size === 'number' ? size : Number.NaN), 1);
  }
  return Number.isSafeInteger(total) && total > 0 ? total : undefined;
}
