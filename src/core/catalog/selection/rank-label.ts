/** Best first, for the labels that the Python Skulk ranks too. Their order is a promise; see docs/hub.md, "GGUF repositories". */
const order = [
  'Q4_K_M',
  'Q4_K_S',
  'Q5_K_M',
  'Q5_K_S',
  'Q6_K',
  'Q4_0',
  'Q5_0',
  'Q8_0',
  'Q3_K_M',
  'Q3_K_L',
  'Q3_K_S',
  'Q2_K',
  'IQ4_XS',
  'IQ4_NL',
  'IQ4',
  'IQ3',
  'IQ2',
  'IQ1',
] as const;

/** The neighbour in that list for other labels, by their bits. The first matching pattern counts. */
const neighbours: readonly (readonly [pattern: RegExp, after: (typeof order)[number]])[] = [
  [/^Q4_K_S/, 'Q4_K_S'],
  [/^Q4_K/, 'Q4_K_M'],
  [/^Q4_[01]/, 'Q4_0'],
  [/^(?:Q4|MXFP4|NVFP4)/, 'Q4_K_S'],
  [/^Q5_K_S/, 'Q5_K_S'],
  [/^Q5_K/, 'Q5_K_M'],
  [/^Q5_[01]/, 'Q5_0'],
  [/^(?:Q5|IQ5)/, 'Q5_K_S'],
  [/^(?:Q6|IQ6|MXFP6)/, 'Q6_K'],
  [/^(?:Q7|Q8|MXFP8)/, 'Q8_0'],
  [/^Q3_K_(?:L|XL|XXL)/, 'Q3_K_L'],
  [/^Q3_K_(?:S|XS|XXS)/, 'Q3_K_S'],
  [/^Q3_K/, 'Q3_K_M'],
  [/^(?:Q3|TQ3)/, 'Q3_K_S'],
  [/^Q2/, 'Q2_K'],
  [/^IQ4_XS/, 'IQ4_XS'],
  [/^IQ4_NL/, 'IQ4_NL'],
  [/^IQ4/, 'IQ4'],
  [/^IQ3/, 'IQ3'],
  [/^(?:IQ2|TQ2|I2_S)/, 'IQ2'],
];

/** The rank of a name without a label: after every quantization, before unquantized weights. */
export const unknownRank = order.length;

/**
 * The rank of a label as default choice; 0 is best. Labels in the list have whole numbers; others are between the one they resemble and
 * the next.
 */
export function rankLabel({
  type,
  bits,
  isUnquantized,
  isPlain,
}: {
  /** Without prefix and suffix: `Q4_K_XL` in `UD-Q4_K_XL`. */
  readonly type: string;
  readonly bits: number;
  readonly isUnquantized: boolean;
  /** Whether the type is the whole label. */
  readonly isPlain: boolean;
}): number {
  if (isUnquantized) return unknownRank + (bits > 16 ? 2 : 1);
  const known = (order as readonly string[]).indexOf(type);
  if (known !== -1) return isPlain ? known : known + 0.25;
  const after = neighbours.find(([pattern]) => pattern.test(type))?.[1] ?? 'IQ1';
  const isClass = after === 'IQ4' || after === 'IQ3' || after === 'IQ2' || after === 'IQ1';
  return order.indexOf(after) + (isClass && type.startsWith('IQ') ? 0 : 0.5);
}
