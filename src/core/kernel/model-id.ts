import { SkulkError } from './errors.ts';
import { parseRelativePath, type RelativePath } from './files/relative-path.ts';
import { splitRef } from './split-ref.ts';

/** A model's id on the Hub, `org/name` or `name`. Made by `parseModelId`. */
export type ModelId = string & { readonly brand: 'ModelId' };

/** A reference to a model, optionally at a revision, optionally to a part of it. */
export interface ModelRef {
  readonly modelId: ModelId;
  /** A branch, tag or commit. */
  readonly revision?: string;
  /** A quantization label (`Q5_K_M`) or a repo-relative .gguf path. */
  readonly selector?: string;
}

/** Formats a reference: `org/name@v1:Q5_K_M`. */
export const formatRef = ({ modelId, revision, selector }: { readonly [Part in keyof ModelRef]: ModelRef[Part] | undefined }): string =>
  `${modelId}${revision === undefined ? '' : `@${revision}`}${selector === undefined ? '' : `:${selector}`}`;

/** Removes repeated references, and a quantization whose whole model is also in the list. Pure. */
export function withoutRepeats(refs: readonly ModelRef[]): readonly ModelRef[] {
  const whole = new Set(refs.filter(({ selector }) => selector === undefined).map(({ modelId }) => modelId));
  const distinct = refs.filter(({ modelId, selector }) => selector === undefined || !whole.has(modelId));
  return [...new Map(distinct.map((ref) => [`${ref.modelId}:${ref.selector ?? ''}`, ref])).values()];
}

const partPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;
const maxPartLength = 96;
const revisionPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_])?$/;
/** Names that an id of one segment cannot have, because the store uses them for its own files. */
const takenNames = new Set(['registry.json', 'incoming', 'trash']);

/**
 * Validates an id with the Hub's rule (huggingface_hub's validate_repo_id): letters, digits, `.`, `_`, `-`; no `--` or `..`; no `-` or
 * `.` at either end; at most 96 characters per part; not ending in `.git`.
 * @throws SkulkError BAD_MODEL_ID
 */
export function parseModelId(text: string): ModelId {
  const parts = text.split('/');
  const refuse = (why: string, hint = 'use the form org/name, e.g. mlx-community/Qwen3-4B-4bit'): never => {
    throw new SkulkError('BAD_MODEL_ID', `"${shorten(text)}" is not a model id: ${why}`, { hint });
  };
  if (text === '') return refuse('it is empty');
  if (/^(?:\.{0,2}|~)\//.test(text))
    refuse('it is a path', 'use the form org/name; `skulk add PATH --as org/name` adds files to the store');
  if (text.includes('://')) {
    const id = idInAddress(text);
    refuse('it is an address, but not of Hugging Face', id === undefined ? undefined : `use ${id}`);
  }
  if (parts.length > 2)
    refuse(/^(?:datasets|spaces)\//.test(text) ? 'skulk keeps models, not datasets or Spaces' : 'it has more than one slash');
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

/** Whether `parseModelId` accepts a text. */
export function isModelId(text: string): text is ModelId {
  try {
    parseModelId(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Parses `[org/]name[@revision][:selector]` and every other form that `splitRef` accepts: Hub addresses, `hf://org/name`, a model with a
 * file. Each part is validated.
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
 * Validates the name of a branch, tag or commit.
 * @throws SkulkError USAGE
 */
export function parseRevision(text: string): string {
  if (revisionPattern.test(text) && text.length <= 255 && !text.includes('..') && !text.includes('//')) return text;
  throw new SkulkError('USAGE', `"${shorten(text)}" is not a revision`, {
    hint: 'use a branch, a tag or a commit, e.g. main, v1.0 or a 40-digit commit',
  });
}

/**
 * Validates the part of a reference after the colon.
 * @throws SkulkError USAGE, BAD_PATH
 */
export function parseSelector(text: string): string | RelativePath {
  // Also part of a split file: X.gguf.part1of2.
  if (/\.gguf(?:[.-][\w.-]+)?$/i.test(text)) return parseRelativePath(text);
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw new SkulkError('USAGE', text === '' ? 'the selector is empty' : `"${shorten(text)}" is not a selector`, {
    hint: 'after the colon, write a quantization such as Q5_K_M, or the path of a .gguf file in the repo',
  });
}

/** The model in the address of a store or of its page, e.g. `http://10.0.0.1:58080/models/org/name`. */
function idInAddress(address: string): string | undefined {
  const id = /^https?:\/\/[^/?#]+\/(?:models\/)?([^/?#%]+(?:\/|%2F)[^/?#%]+)\/?(?:[?#].*)?$/i.exec(address)?.[1]?.replace(/%2F/i, '/');
  return id !== undefined && isModelId(id) ? id : undefined;
}

/** The name of a model's directory: the id with `/` replaced by `--`. The names are unique, because an id never contains `--`. */
export const directoryName = (modelId: ModelId): string => modelId.replace('/', '--');

/** The model id for the name of a directory; undefined if no id has a directory of that name. */
export function modelIdOfDirectory(name: string): ModelId | undefined {
  const id = name.replace('--', '/');
  return isModelId(id) ? id : undefined;
}

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);
