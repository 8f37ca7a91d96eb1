import { SkulkError } from './errors.ts';
import { parseRelativePath, type RelativePath } from './files/relative-path.ts';
import { splitRef } from './split-ref.ts';

/** A model's id on the Hub, `org/name` or `name`, that passed `parseModelId`. */
export type ModelId = string & { readonly brand: 'ModelId' };

/** What a person names: a model, maybe at a revision, maybe a part of it. */
export interface ModelRef {
  readonly modelId: ModelId;
  /** A branch, tag or commit. */
  readonly revision?: string;
  /** A quantization label (`Q5_K_M`) or a repo-relative .gguf path. */
  readonly selector?: string;
}

/** A reference as it is written: `org/name@v1:Q5_K_M`. */
export const formatRef = ({ modelId, revision, selector }: { readonly [Part in keyof ModelRef]: ModelRef[Part] | undefined }): string =>
  `${modelId}${revision === undefined ? '' : `@${revision}`}${selector === undefined ? '' : `:${selector}`}`;

/** The same without what is named twice: a reference again, or a quantization beside its whole model. Pure. */
export function withoutRepeats(refs: readonly ModelRef[]): readonly ModelRef[] {
  const whole = new Set(refs.filter(({ selector }) => selector === undefined).map(({ modelId }) => modelId));
  const distinct = refs.filter(({ modelId, selector }) => selector === undefined || !whole.has(modelId));
  return [...new Map(distinct.map((ref) => [`${ref.modelId}:${ref.selector ?? ''}`, ref])).values()];
}

const partPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;
const maxPartLength = 96;
const revisionPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_])?$/;
/** Names that a one-segment id may not have, because the store's own files have them. */
const takenNames = new Set(['registry.json', 'incoming', 'trash']);

/**
 * Checks an id against the Hub's rule (huggingface_hub's validate_repo_id): letters, digits, `.`, `_`, `-`; no `--` or
 * `..`; no `-` or `.` at either end; 96 characters a part; not ending in `.git`.
 * @throws SkulkError BAD_MODEL_ID
 */
export function parseModelId(text: string): ModelId {
  const parts = text.split('/');
  const refuse = (why: string): never => {
    throw new SkulkError('BAD_MODEL_ID', `"${shorten(text)}" is not a model id: ${why}`, {
      hint: 'use the form org/name, e.g. mlx-community/Qwen3-4B-4bit',
    });
  };
  if (text === '') return refuse('it is empty');
  if (parts.length > 2) refuse('it has more than one slash');
  for (const part of parts) {
    if (part === '') refuse('a part of it is empty');
    if (part.length > maxPartLength) refuse(`a part of it is longer than ${maxPartLength} characters`);
    if (/[^A-Za-z0-9._-]/.test(part)) refuse('it may contain only letters, digits, ".", "_" and "-"');
    if (part.includes('--') || part.includes('..')) refuse('it must not contain "--" or ".."');
    if (!partPattern.test(part)) refuse('a part must not begin or end with "-" or "."');
  }
  if (parts.length === 1 && takenNames.has(text.toLowerCase())) refuse('that name is reserved by the store');
  if (/\.git$/i.test(text)) refuse('it must not end in ".git"');
  return text as ModelId;
}

/** Whether a text is a model id, as `parseModelId` would say. */
export function isModelId(text: string): text is ModelId {
  try {
    parseModelId(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Parses `[org/]name[@revision][:selector]` and everything else that `splitRef` knows: addresses of the Hub, `hf://org/name`, a model
 * with a file. Each part passes its gate, wherever it stood.
 * @throws SkulkError BAD_MODEL_ID, BAD_PATH for a selector that is an unsafe path, USAGE for a bad revision or selector
 */
export function parseModelRef(text: string): ModelRef {
  const { modelId: id, revision, selector } = splitRef(text);
  const modelId = parseModelId(id);
  return {
    modelId,
    ...(revision !== undefined && { revision: parseRevision(revision) }),
    ...(selector !== undefined && { selector: parseSelector(selector) }),
  };
}

/**
 * Checks a branch, tag or commit name.
 * @throws SkulkError USAGE
 */
export function parseRevision(text: string): string {
  if (revisionPattern.test(text) && text.length <= 255 && !text.includes('..') && !text.includes('//')) return text;
  throw new SkulkError('USAGE', `"${shorten(text)}" is not a revision`, {
    hint: 'use a branch, a tag or a commit, e.g. main, v1.0 or a 40-digit commit',
  });
}

/**
 * Checks what stands behind the colon of a reference.
 * @throws SkulkError USAGE, BAD_PATH
 */
export function parseSelector(text: string): string | RelativePath {
  // Also a piece of a file: X.gguf.part1of2.
  if (/\.gguf(?:[.-][\w.-]+)?$/i.test(text)) return parseRelativePath(text);
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw new SkulkError('USAGE', text === '' ? 'the selector is empty' : `"${shorten(text)}" is not a selector`, {
    hint: 'after the colon, write a quantization such as Q5_K_M, or the path of a .gguf file in the repo',
  });
}

/** The name of a model's directory: the id with `/` replaced by `--`. Two ids never share one, as `--` is in no id. */
export const directoryName = (modelId: ModelId): string => modelId.replace('/', '--');

/** The id whose directory this is, or undefined when no id has a directory of that name. */
export function modelIdOfDirectory(name: string): ModelId | undefined {
  const id = name.replace('--', '/');
  return isModelId(id) ? id : undefined;
}

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);
