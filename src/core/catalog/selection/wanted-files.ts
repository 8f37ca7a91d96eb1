import { SkulkError } from '../../kernel/errors.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { parseSelector } from '../../kernel/model-id.ts';
import { maxPatternLength, maxPatterns, type WantedFilesBody } from '../../protocol/downloads.ts';
import type { SelectionRequest, Weights } from './select-files.ts';

/** A request for a model's files, in flags, HTTP requests and jobs. By default the rules choose. */
export interface WantedFiles extends Pick<SelectionRequest, 'weights' | 'include' | 'exclude' | 'whole' | 'mmproj'> {
  /** A repo-relative .gguf path. */
  readonly ggufFile?: string | undefined;
  /** A quantization label or a repo-relative .gguf path, exactly. */
  readonly selector?: string | undefined;
  /** Whether `ggufFile` must exist, and is not a card's pin that can be replaced. */
  readonly exact?: boolean | undefined;
  /** Fail if the received files cannot be a model, instead of warning. */
  readonly strict?: boolean | undefined;
}

export const weightsChoices = ['safetensors', 'gguf', 'all'] as const satisfies readonly Weights[];

/**
 * Validates a request from outside.
 * @throws SkulkError BAD_REQUEST, BAD_PATH, USAGE
 */
export function parseWantedFiles(body: WantedFilesBody): WantedFiles {
  const { gguf_file, selector, exact, weights, include, exclude, whole, mmproj, strict } = body;
  return {
    ...(gguf_file != null && { ggufFile: parseGgufFile(gguf_file) }),
    ...(selector != null && { selector: parseSelector(selector) }),
    ...(exact === true && { exact }),
    ...(weights != null && { weights: parseWeights(weights) }),
    ...(include != null && include.length > 0 && { include: parsePatterns(include) }),
    ...(exclude != null && exclude.length > 0 && { exclude: parsePatterns(exclude) }),
    ...(whole === true && { whole }),
    ...(mmproj != null && { mmproj: parseRelativePath(mmproj) }),
    ...(strict === true && { strict }),
  };
}

/** The reverse; absent fields stay absent. */
export const encodeWantedFiles = ({
  ggufFile,
  selector,
  exact,
  weights,
  include,
  exclude,
  whole,
  mmproj,
  strict,
}: WantedFiles): WantedFilesBody => ({
  ...(ggufFile !== undefined && { gguf_file: ggufFile }),
  ...(selector !== undefined && { selector }),
  ...(exact === true && { exact }),
  ...(weights !== undefined && { weights }),
  ...(include !== undefined && { include }),
  ...(exclude !== undefined && { exclude }),
  ...(whole === true && { whole }),
  ...(mmproj !== undefined && { mmproj }),
  ...(strict === true && { strict }),
});

/** Whether a request overrides the default selection. */
export const isParticular = ({ weights, include, exclude, whole, mmproj }: WantedFiles): boolean =>
  weights !== undefined || include !== undefined || exclude !== undefined || whole === true || mmproj !== undefined;

/** Whether a job for `other` includes everything in a request: the same, or anything for a default request. */
export function isCovered(wanted: WantedFiles, other: WantedFiles): boolean {
  const choices = ({ ggufFile, selector, exact, strict, ...rest }: WantedFiles): string => JSON.stringify(encodeWantedFiles(rest));
  return (
    (wanted.strict !== true || other.strict === true) &&
    (wanted.ggufFile === undefined || wanted.ggufFile === other.ggufFile) &&
    (wanted.selector === undefined || wanted.selector.toLowerCase() === other.selector?.toLowerCase()) &&
    (!isParticular(wanted) || choices(wanted) === choices(other))
  );
}

/**
 * The request to select from a listing.
 * @param pin the file in the model's card
 */
export const selectionOf = (
  { ggufFile, selector, exact = false, strict: _, ...choices }: WantedFiles,
  pin: string | undefined,
): SelectionRequest => ({
  ...choices,
  selector: (exact ? ggufFile : undefined) ?? selector,
  // Without `exact`, the file is a pin that may be replaced, but not by a request for something else.
  ...(ggufFile !== undefined && selector !== undefined && { alsoNamed: exact ? selector : ggufFile }),
  pin: ggufFile ?? pin,
});

/**
 * Validates the path of a GGUF file, or of a piece of one.
 * @throws SkulkError BAD_REQUEST, BAD_PATH
 */
export function parseGgufFile(text: string): string {
  if (/\.gguf(?:[.-][\w.-]+)?$/i.test(text)) return parseRelativePath(text);
  throw new SkulkError('BAD_REQUEST', `${JSON.stringify(text.slice(0, 100))} is not a .gguf file`, {
    hint: 'give its path in the repo, e.g. Foo-Q5_K_M.gguf',
  });
}

function parseWeights(text: string): Weights {
  const known = weightsChoices.find((one) => one === text);
  if (known !== undefined) return known;
  throw new SkulkError('BAD_REQUEST', `weights cannot be ${JSON.stringify(text.slice(0, 100))}`, {
    hint: `use one of ${weightsChoices.join(', ')}`,
  });
}

function parsePatterns(patterns: readonly string[]): readonly string[] {
  if (patterns.length <= maxPatterns && patterns.every((one) => typeof one === 'string' && one !== '' && one.length <= maxPatternLength))
    return patterns;
  throw new SkulkError('BAD_REQUEST', 'there are too many file patterns, or one is too long or empty', {
    hint: `use at most ${maxPatterns} patterns of at most ${maxPatternLength} characters, e.g. *.safetensors`,
  });
}
