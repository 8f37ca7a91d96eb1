/** Bits per weight of a typical model, by llama-quantize's type; results differ a little between models. */
const usualBits = {
  Q2_K: 3.02,
  Q3_K_S: 3.5,
  Q3_K_M: 3.94,
  Q3_K_L: 4.29,
  IQ4_XS: 4.3,
  Q4_K_S: 4.6,
  Q4_K_M: 4.83,
  Q5_K_S: 5.53,
  Q5_K_M: 5.68,
  Q6_K: 6.57,
  Q8_0: 8.51,
} as const;

/** The types for a number of bits, smallest first. */
export const typesByBits: readonly string[] = Object.keys(usualBits);

/** The typical bits of a type; undefined for one without a measurement. */
export const usualBitsOf = (type: string): number | undefined => (usualBits as Readonly<Record<string, number>>)[type] ?? plainBits[type];

const plainBits: Readonly<Record<string, number>> = { F32: 32, F16: 16, BF16: 16, Q4_0: 4.55, Q4_1: 5, Q5_0: 5.54, Q5_1: 6, IQ4_NL: 4.5 };

/** Types that llama-quantize only makes with an importance matrix. */
export const needsMatrix = (type: string): boolean => /^(?:IQ1_|IQ2_|IQ3_XXS$|Q2_K_S$)/.test(type);

/** They copy tensors, or make them larger, which is useless for a store. */
const refused: ReadonlySet<string> = new Set(['COPY', 'F32']);

/** Whether a text has the syntax of a type; the program itself decides whether it exists. */
export const isTypeName = (type: string): boolean => /^[A-Z][A-Z0-9_]{1,15}$/.test(type) && !refused.has(type);

/** Sizes that llama-quantize prints in a run or a dry run, in bytes and in bits per weight. */
export interface LlamaSizes {
  readonly sourceBytes: number;
  readonly sourceBits: number;
  readonly bytes: number;
  readonly bits: number;
}

const mebibyte = 1024 * 1024;

/** `model size = 36.63 MiB (32.00 BPW)`, `quant size = 5.53 MiB (4.83 BPW)`. Undefined if one of the two is missing. */
export function readSizes(lines: readonly string[]): LlamaSizes | undefined {
  const find = (what: string): { bytes: number; bits: number } | undefined => {
    for (const line of lines) {
      const [, size, bits] = new RegExp(`${what} size\\s+=\\s+([\\d.]+) MiB \\(([\\d.]+) BPW\\)`).exec(line) ?? [];
      if (size !== undefined) return { bytes: Math.round(Number(size) * mebibyte), bits: Number(bits) };
    }
    return undefined;
  };
  const [model, quant] = [find('model'), find('quant')];
  if (model === undefined || quant === undefined) return undefined;
  return { sourceBytes: model.bytes, sourceBits: model.bits, ...quant };
}
