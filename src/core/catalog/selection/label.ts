import { rankLabel } from './rank-label.ts';

/** The storage format of a GGUF file's weights, according to its name. */
export interface Label {
  /** The common spelling, in upper case: `Q4_K_M`, `UD-Q4_K_XL`, `MXFP4_MOE`; FP16 and float16 are `F16`. */
  readonly text: string;
  /** `i1` if the name marks weights made with an importance matrix (`m.i1-Q4_K_M.gguf`); optional in a selector. */
  readonly mark?: string;
  /** The bits in the name: 4 for `IQ4_XS`, 16 for `BF16`. */
  readonly bits: number;
  /** Whether the weights are not quantized at all: F16, BF16, F32. */
  readonly isUnquantized: boolean;
  /** Bits per weight of a typical model (Llama 3.1 8B), including scales and mixtures; undefined for a label without a measurement. */
  readonly bitsPerWeight: number | undefined;
  /** The rank as default choice, 0 is best; two labels may have the same rank. */
  readonly rank: number;
}

/**
 * The syntax of a label; some use `-` or `.` instead of underscores. Families:
 * https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md; KS, KT, R4 are ik_llama.cpp's.
 */
const quantized =
  /(?<![A-Z0-9])(?:(UD(?=[-_.])|I1?(?=-))[-_.])?(?:(IQ|Q|TQ)([1-8])((?:_[01](?:_\d_\d)?|-0|[-_.]?K(?:[-_.]?(?:XXS|XS|S|M|XXL|XL|L|P)|S{1,2}|T|V)?|[-_](?:XXS|XS|S|M|XXL|XL|L|NL))?)|(MXFP|NVFP)([468])|(I2)(_S))((?:_R\d|_G\d{2,3}|_MOE)?)(?![A-Z0-9])/g;
const unquantized = /(?<![A-Z0-9])(?:(UD)[-_.])?(B?F(?:P|LOAT)?[-_]?(?:16|32))(?![A-Z0-9])/g;

/** A label directly after a word: `devstralQ4_K_M`. */
const runTogether = /(?<=[a-z])(?=(?:I?Q|TQ)\d|MXFP\d|NVFP\d|B?F16|F32)/g;

/**
 * The label in a text, e.g. a base name without its extension. If there are several, the last one counts, and a quantization has priority
 * over an unquantized type: `gpt-oss-BF16-tuned.i1-IQ4_XS` is IQ4_XS. Undefined if there is none.
 */
export function findLabel(text: string): Label | undefined {
  const upper = text.replace(runTogether, '-').toUpperCase();
  const last = [...upper.matchAll(quantized)].at(-1);
  if (last !== undefined) return ofQuantized(last);
  const plain = [...upper.matchAll(unquantized)].at(-1);
  return plain === undefined ? undefined : ofUnquantized(plain);
}

/** A text in upper case without its labels: `M--IMAT` for `m-Q4_K_M-imat`. */
export const withoutLabels = (text: string): string =>
  text.replace(runTogether, '-').toUpperCase().replace(quantized, '').replace(unquantized, '');

/** Parses a text that is only a label, as the user typed it. */
export function parseLabel(text: string): Label | undefined {
  const label = findLabel(text);
  const upper = text.toUpperCase();
  const isWhole = (pattern: RegExp): boolean => [...upper.matchAll(pattern)].some(([found]) => found === upper);
  return label !== undefined && (isWhole(quantized) || isWhole(unquantized)) ? label : undefined;
}

/** The label of a file: in its base name, else in the nearest folder (`Q8_0/model.gguf`). */
export function labelOfPath(path: string): Label | undefined {
  const parts = path.split('/');
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const label = findLabel(parts[at] ?? '');
    if (label !== undefined) return label;
  }
  return undefined;
}

function ofQuantized(match: RegExpExecArray): Label {
  const [, prefix = '', family = match[5] ?? match[7] ?? '', digit = match[6] ?? '2', ending = '', , , , pure, tail = ''] = match;
  const type = family === 'I2' ? `I2${pure}` : `${family}${digit}${withUnderscores(family, ending)}`;
  const bits = Number(digit);
  return makeLabel(prefix, `${type}${tail}`, { type, bits, isUnquantized: false });
}

function ofUnquantized([, prefix = '', spelled = '']: RegExpExecArray): Label {
  const type = spelled.replace(/F(?:P|LOAT)?[-_]?/, 'F');
  return makeLabel(prefix, type, { type, bits: type.endsWith('32') ? 32 : 16, isUnquantized: true });
}

function makeLabel(
  prefix: string,
  name: string,
  { type, bits, isUnquantized }: { readonly type: string; readonly bits: number; readonly isUnquantized: boolean },
): Label {
  const shown = prefix === '' || prefix === 'I1' ? '' : `${prefix}-`;
  return {
    text: `${shown}${name}`,
    ...(prefix === 'I1' && { mark: 'i1' }),
    bits,
    isUnquantized,
    // A dynamic quantization (UD-) mixes types by its own rule.
    bitsPerWeight: shown === '' ? measured[type] : undefined,
    rank: rankLabel({ type, bits, isUnquantized, isPlain: shown === '' && name === type }),
  };
}

/** `Q4KM` and `Q4-K-M` are Q4_K_M, but `IQ4_KS` is a separate type. */
function withUnderscores(family: string, spelled: string): string {
  const ending = spelled.replace(/[-.]/g, '_');
  return family === 'Q' ? ending.replace(/^_?K_?(?=.)(?!T|V|SS)/, '_K_').replace(/^_?K/, '_K') : ending;
}

/** Bits per weight of Llama 3.1 8B, as listed on the same page; the simple types by their blocks. */
const measured: Readonly<Record<string, number>> = {
  IQ1_S: 2,
  IQ1_M: 2.15,
  IQ2_XXS: 2.38,
  IQ2_XS: 2.59,
  IQ2_S: 2.74,
  IQ2_M: 2.93,
  IQ3_XXS: 3.25,
  IQ3_XS: 3.5,
  IQ3_S: 3.66,
  IQ3_M: 3.76,
  IQ4_XS: 4.46,
  IQ4_NL: 4.68,
  Q2_K_S: 2.97,
  Q2_K: 3.16,
  Q3_K_S: 3.64,
  Q3_K_M: 4,
  Q3_K_L: 4.3,
  Q4_0: 4.5,
  Q4_1: 5,
  Q4_K_S: 4.67,
  Q4_K_M: 4.89,
  Q5_0: 5.5,
  Q5_1: 6,
  Q5_K_S: 5.57,
  Q5_K_M: 5.7,
  Q6_K: 6.56,
  Q8_0: 8.5,
  TQ1_0: 1.69,
  TQ2_0: 2.06,
  MXFP4: 4.25,
  NVFP4: 4.5,
  F16: 16,
  BF16: 16,
  F32: 32,
};
