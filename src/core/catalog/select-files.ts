import { isGgufWeights, preferredGguf, quantizationOfName, shardGroup } from './gguf-files.ts';
import { isProjector, whyNotModelFile } from './model-files.ts';

/** What decides which quantization of a GGUF repo is taken; the first that is given counts. */
export interface Pins {
  /** A repo-relative path that the request names. */
  readonly ggufFile?: string | undefined;
  /** A quantization label or a repo-relative path, from `model:selector`. */
  readonly selector?: string | undefined;
  /** The path that the model's card names. */
  readonly card?: string | undefined;
}

/** Which files of a repo make the model. */
export interface Selection {
  readonly paths: readonly string[];
  /** The first file of the weights, when they are GGUF. */
  readonly gguf: string | undefined;
  /** The pin that is not in the repo, so that the preference was taken. */
  readonly missingPin?: string;
}

/**
 * Chooses the files of a model: of a GGUF repo the pinned or preferred weights with all their shards, `config.json` and every
 * projector; any other repo is taken whole. Pure. Source: docs/hub.md, "GGUF repositories".
 */
export function selectFiles(paths: readonly string[], { ggufFile, selector, card }: Pins): Selection {
  const usable = paths.filter((path) => whyNotModelFile(path) === undefined);
  const weights = usable.filter(isGgufWeights);
  if (weights.length === 0) return { paths: usable, gguf: undefined };
  const pin = ggufFile ?? selector ?? card;
  const pinned = pin === undefined ? undefined : findPinned(weights, pin);
  const chosen = pinned ?? preferredGguf(weights);
  if (chosen === undefined) return { paths: usable, gguf: undefined };
  const group = shardGroup(weights, chosen);
  const wanted = new Set([...group, ...usable.filter((path) => path === 'config.json' || isProjector(path))]);
  return {
    paths: usable.filter((path) => wanted.has(path)),
    gguf: group[0],
    ...(pin !== undefined && pinned === undefined && { missingPin: pin }),
  };
}

/** The first file of the weights that a path or a label names, or undefined. */
export function findPinned(weights: readonly string[], pin: string): string | undefined {
  if (weights.includes(pin)) return pin;
  if (/\.gguf$/i.test(pin)) return undefined;
  const label = pin.toUpperCase();
  const named = weights.filter((path) => hasLabel(path, label));
  return preferredGguf(named.filter((path) => quantizationOfName(path) === label)) ?? preferredGguf(named);
}

/** A label ends where a word does: `Q4_K` does not name `Q4_K_M`. */
function hasLabel(path: string, label: string): boolean {
  const escaped = label.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(?:^|[^A-Z0-9])${escaped}(?![A-Z0-9_])`).test(path.slice(path.lastIndexOf('/') + 1).toUpperCase());
}
