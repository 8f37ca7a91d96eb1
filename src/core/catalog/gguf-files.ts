import { isProjector } from './model-files.ts';

/** A GGUF file's place in a set of shards, `<base>-NNNNN-of-NNNNN.gguf`. */
const shard = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** Best first (hub preference when nothing is pinned); a label is looked for in the base name without regard to case. */
const preference = [
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
const unquantized = ['BF16', 'F16', 'F32'] as const;

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether a file holds GGUF weights. */
export const isGgufWeights = (path: string): boolean => /\.gguf$/i.test(path) && !isProjector(path);

/** 0 is best; a name that is not recognized comes after every quantization and before what is not quantized at all. */
function quantizationRank(path: string): number {
  const name = baseName(path).toUpperCase();
  const known = preference.findIndex((label) => contains(name, label));
  if (known !== -1) return known;
  return preference.length + (unquantized.some((label) => contains(name, label)) ? 1 : 0);
}

/** The quantization that a file's name tells, such as `Q4_K_M`. */
export function quantizationOfName(path: string): string | undefined {
  const name = baseName(path).toUpperCase();
  return [...preference, ...unquantized].find((label) => contains(name, label));
}

/** `Q4_0` is not in `IQ4_0`, and `F16` is not in `BF16`: a label begins where a word does. */
const contains = (name: string, label: string): boolean => new RegExp(`(?:^|[^A-Z0-9])${label}`).test(name);

/** Every shard of the set that a file belongs to, in order; a file that is no shard alone. */
export function shardGroup(paths: readonly string[], path: string): readonly string[] {
  const [ending, , count] = shard.exec(path) ?? [];
  if (ending === undefined) return [path];
  const base = path.slice(0, -ending.length);
  const isSibling = (other: string): boolean => {
    const [end, , of] = shard.exec(other) ?? [];
    return end !== undefined && of === count && other.slice(0, -end.length) === base;
  };
  return paths.filter(isSibling).toSorted();
}

/** The file that a program is told to load: of the preferred quantization the first shard. Undefined when there is none. */
export function preferredGguf(paths: readonly string[]): string | undefined {
  const first = paths.filter((path) => isGgufWeights(path) && Number(shard.exec(path)?.[1] ?? 1) === 1);
  return first.toSorted((a, b) => quantizationRank(a) - quantizationRank(b) || (a < b ? -1 : a > b ? 1 : 0))[0];
}
