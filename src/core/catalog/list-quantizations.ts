import { isGgufWeights, quantizationOfName } from './gguf-files.ts';
import { isProjector, whyNotModelFile } from './model-files.ts';
import { type Pins, selectFiles } from './select-files.ts';

/** A file and its size in bytes. */
export interface SizedFile {
  readonly path: string;
  readonly size: number;
}

/** One way to take a GGUF repo. */
export interface Quantization {
  /** What a person calls it, e.g. `Q4_K_M`; no two of a repo are called the same. */
  readonly label: string;
  /** Its first file; asking for this path takes this one and no other. */
  readonly gguf_file: string;
  /** Everything that is taken with it: its shards, `config.json`, the projectors. */
  readonly files: readonly string[];
  readonly size_bytes: number;
  /** Whether it is the one that is taken when none is named. */
  readonly is_preferred: boolean;
}

/** What a name ends with that tells how its weights are stored, also where no preference knows it: `UD-Q4_K_XL`, `IQ3_XXS`, `MXFP4_MOE`. */
const ending = /(?:^|[-_.])((?:UD-)?(?:I?Q\d|TQ\d|MXFP\d|NVFP\d|BF16|F16|F32)(?:_[A-Z0-9]+)*)$/i;

/** A shard's name without its number: the shards of one set have it in common. */
const shardNumber = /-\d{5}(?=-of-\d{5}\.gguf$)/i;

/** The quantizations of a repo, smallest first; none of a repo that has no GGUF weights. Pure. */
export function listQuantizations(files: readonly SizedFile[], pins: Pins): readonly Quantization[] {
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const usable = [...sizes.keys()].filter((path) => whyNotModelFile(path) === undefined);
  const beside = usable.filter((path) => path === 'config.json' || isProjector(path));
  const preferred = selectFiles(usable, pins).gguf;
  const sets = [...Map.groupBy(usable.filter(isGgufWeights), (path) => path.replace(shardNumber, '')).values()];
  const all = sets.map((paths): Quantization => {
    const shards = paths.toSorted();
    const [first = ''] = shards;
    const taken = [...shards, ...beside];
    return {
      label: labelOf(first),
      gguf_file: first,
      files: taken,
      size_bytes: taken.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0),
      is_preferred: first === preferred,
    };
  });
  const namesakes = Map.groupBy(all, ({ label }) => label);
  return all
    .map((one) => (namesakes.get(one.label)?.length === 1 ? one : { ...one, label: one.gguf_file }))
    .toSorted((a, b) => a.size_bytes - b.size_bytes || (a.label < b.label ? -1 : 1));
}

function labelOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, '');
  return ending.exec(name)?.[1]?.toUpperCase() ?? quantizationOfName(path) ?? name;
}
