/** What a person wrote to name a model, in its parts. Nothing of it is checked. */
export interface RefParts {
  readonly modelId: string;
  /** A branch, tag or commit. */
  readonly revision: string | undefined;
  /** What is taken of the model: a quantization, a folder of its page, or the path of a .gguf file. */
  readonly selector: string | undefined;
}

/** The Hub by its names, with or without the scheme; `https://` is all that counts as one. */
const hubAddress = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/+(.*)$/is;
const hubScheme = /^hf:\/\/(?:models\/)?(.*)$/is;
/** What model cards and pages show to copy: the command of another program, with the model as its last word. */
const otherCommands =
  /^(?:\$\s+)?(?:ollama\s+(?:run|pull|show)|(?:hf|huggingface-cli)\s+download|llama-(?:cli|server)\s+-hf|skulk\s+[a-z-]+)\s+(\S+)$/i;
/** Quotation marks, and what surrounds a name or an address in a text. */
const quotes = /^(?:"([^"]*)"|'([^']*)'|`([^`]*)`|<([^>]*)>|“([^”]*)”)$/s;
const views: ReadonlySet<string> = new Set(['tree', 'blob', 'resolve', 'raw', 'blame', 'commit', 'commits']);

/**
 * Splits what people paste: `[org/]name[@revision][:selector]`, the address of a model, of a folder or a file of it on huggingface.co or
 * hf.co, `hf.co/org/name:Q4_K_M`, `hf://org/name@revision/file` and `org/name/file.gguf`; also within the command of another program, e.g.
 * `ollama run hf.co/org/name`. Quotation marks and spaces around it, slashes at its end, a query and a fragment do not count; a file that is no GGUF names its model. Pure, without imports, as the page uses it too: each part still
 * has to pass its gate (`parseModelRef`). What is in none of these forms comes back as the id, which the gate refuses.
 */
export function splitRef(text: string): RefParts {
  const quoted = unquote(text.trim());
  const named = otherCommands.exec(quoted)?.[1];
  // Programs that ask Ollama's registry write `latest` for no tag.
  const trimmed = named === undefined ? quoted : unquote(named).replace(/:latest$/, '');
  const address = hubAddress.exec(trimmed)?.[1] ?? hubScheme.exec(trimmed)?.[1];
  if (address !== undefined) return splitPath(withoutQuery(address), { isAddress: true });
  // Another address is no name, and whoever checks the id says so.
  if (trimmed.includes('://')) return { modelId: trimmed, revision: undefined, selector: undefined };
  return splitPath(trimmed, { isAddress: false });
}

/** Splits a reference, or what stands behind the host of an address, where `%2F` is a slash inside of a name. */
function splitPath(path: string, { isAddress }: { readonly isAddress: boolean }): RefParts {
  const read = isAddress ? decode : (part: string) => part;
  const [, before = path, revision, after] = /^([^@:]*)(?:@([^:]*))?(?::(.*))?$/s.exec(path) ?? [];
  const selector = after === undefined ? undefined : read(after);
  if (revision !== undefined) {
    const segments = revision.split('/').map(read);
    // A branch may have slashes in its name, unless a file follows.
    const isWhole = !isAddress && fileOf(segments.slice(1)) === undefined;
    const { name, rest } = isWhole ? { name: revision, rest: [] } : takeRevision(segments);
    return { modelId: withoutSlashes(before), revision: name, selector: selector ?? fileOf(rest) };
  }
  const whole = withoutSlashes(selector === undefined ? withoutQuery(before) : before).split('/');
  // The pages of discussions are those of the model.
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

/** A revision is one segment, but for those that the Hub keeps below `refs/`: `refs/pr/1`, `refs/convert/parquet`. */
function takeRevision(segments: readonly string[]): { readonly name: string; readonly rest: readonly string[] } {
  const count = segments[0] === 'refs' ? 3 : 1;
  return { name: segments.slice(0, count).join('/'), rest: segments.slice(count) };
}

/** The path of a GGUF file or of a piece of one; any other file stands for its model. */
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

/** `%2F` and its like; what is not valid stays as it is, for the gate to refuse. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
