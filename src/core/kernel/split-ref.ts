/** The parts of a model reference as the user wrote it, not validated yet. */
export interface RefParts {
  readonly modelId: string;
  /** A branch, tag or commit. */
  readonly revision: string | undefined;
  /** The requested part of the model: a quantization, a folder, or the path of a .gguf file. */
  readonly selector: string | undefined;
}

/** The Hub's hostnames, with or without the scheme. Only `https://` counts as a scheme. */
const hubAddress = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/+(.*)$/is;
const hubScheme = /^hf:\/\/(?:models\/)?(.*)$/is;
/** Commands that model cards and web pages show for copying: another program's command with the model as its last word. */
const otherCommands =
  /^(?:\$\s+)?(?:ollama\s+(?:run|pull|show)|(?:hf|huggingface-cli)\s+download|llama-(?:cli|server)\s+-hf|skulk\s+[a-z-]+)\s+(\S+)$/i;
/** Quotation marks, and other marks around a name or an address in a text. */
const quotes = /^(?:"([^"]*)"|'([^']*)'|`([^`]*)`|<([^>]*)>|“([^”]*)”)$/s;
const views: ReadonlySet<string> = new Set(['tree', 'blob', 'resolve', 'raw', 'blame', 'commit', 'commits']);

/**
 * Splits what users paste: `[org/]name[@revision][:selector]`, an address on huggingface.co or hf.co of a model, folder or file,
 * `hf.co/org/name:Q4_K_M`, `hf://org/name@revision/file` and `org/name/file.gguf`; also inside the command of another program, e.g.
 * `ollama run hf.co/org/name`. Ignores surrounding quotation marks and spaces, trailing slashes, a query and a fragment. A file that is
 * not a GGUF file selects its model. Pure and without imports, because the page uses it too. It validates nothing: `parseModelRef` does.
 * A text in none of these forms becomes the id, which then fails validation.
 */
export function splitRef(text: string): RefParts {
  const quoted = unquote(text.trim());
  const named = otherCommands.exec(quoted)?.[1];
  // Programs that use Ollama's registry write `latest` instead of no tag.
  const trimmed = named === undefined ? quoted : unquote(named).replace(/:latest$/, '');
  const address = hubAddress.exec(trimmed)?.[1] ?? hubScheme.exec(trimmed)?.[1];
  if (address !== undefined) return splitPath(withoutQuery(address), { isAddress: true });
  // An address of another site is not a name. The validation of the id reports that.
  if (trimmed.includes('://')) return { modelId: trimmed, revision: undefined, selector: undefined };
  return splitPath(trimmed, { isAddress: false });
}

/** Splits a reference, or the path of an address, where `%2F` is a slash inside a name. */
function splitPath(path: string, { isAddress }: { readonly isAddress: boolean }): RefParts {
  const read = isAddress ? decode : (part: string) => part;
  const [, before = path, revision, after] = /^([^@:]*)(?:@([^:]*))?(?::(.*))?$/s.exec(path) ?? [];
  const selector = after === undefined ? undefined : withoutSlashes(read(after));
  if (revision !== undefined) {
    const segments = revision.split('/').map(read);
    // A branch name may contain slashes, unless a file follows.
    const isWhole = !isAddress && fileOf(segments.slice(1)) === undefined;
    const { name, rest } = isWhole ? { name: revision, rest: [] } : takeRevision(segments);
    return { modelId: withoutSlashes(before), revision: name, selector: selector ?? fileOf(rest) };
  }
  const whole = withoutSlashes(selector === undefined ? withoutQuery(before) : before).split('/');
  // Pages of discussions belong to the model.
  const segments = isAddress && whole[2] === 'discussions' ? whole.slice(0, 2) : whole;
  const at = segments.findIndex((segment, index) => (index === 1 || index === 2) && views.has(segment) && segments.length > index + 1);
  if (at !== -1) {
    const { name, rest } = takeRevision(segments.slice(at + 1).map(read));
    const named = segments[at] === 'tree' ? rest.at(-1) : fileOf(rest);
    return { modelId: segments.slice(0, at).join('/'), revision: name, selector: selector ?? named };
  }
  const file = selector === undefined ? fileOf(segments.slice(2).map(read)) : undefined;
  const modelId = (file === undefined ? segments : segments.slice(0, 2)).join('/');
  return { modelId, revision: undefined, selector: selector ?? file };
}

/** A revision is one segment, except those that the Hub keeps below `refs/`: `refs/pr/1`, `refs/convert/parquet`. */
function takeRevision(segments: readonly string[]): { readonly name: string; readonly rest: readonly string[] } {
  const count = segments[0] === 'refs' ? 3 : 1;
  return { name: segments.slice(0, count).join('/'), rest: segments.slice(count) };
}

/** The path of a GGUF file or of a part of one. Any other file selects its model. */
const fileOf = (segments: readonly string[]): string | undefined => (isGguf(segments.at(-1) ?? '') ? segments.join('/') : undefined);
const isGguf = (name: string): boolean => /\.gguf(?:[.-][\w.-]+)?$/i.test(name);

const unquote = (text: string): string =>
  quotes
    .exec(text)
    ?.slice(1)
    .find((inner) => inner !== undefined)
    ?.trim() ?? text;
const withoutQuery = (path: string): string => path.replace(/[?#].*$/s, '');
const withoutSlashes = (path: string): string => path.replace(/\/+$/, '');

/** Decodes `%2F` and the like. Leaves invalid escapes unchanged, so that the validation rejects them. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
