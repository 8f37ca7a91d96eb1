/** What a person typed to name a model on Hugging Face. */
export interface TypedRef {
  readonly modelId: string;
  readonly revision: string | undefined;
  readonly selector: string | undefined;
}

/** Reads `org/name[@revision][:selector]`, or the address of a model's page. What it names is checked by the server. Pure. */
export function readTypedRef(text: string): TypedRef {
  const trimmed = text.trim();
  const page = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#]+\/[^/?#]+)(?:\/(?:tree|blob|resolve)\/([^/?#]+))?/i.exec(trimmed);
  if (page !== null) return { modelId: page[1] ?? '', revision: page[2], selector: undefined };
  // Another address is no name, and the server says so.
  if (trimmed.includes('://')) return { modelId: trimmed, revision: undefined, selector: undefined };
  const [, modelId = trimmed, revision, selector] = /^([^@:]*)(?:@([^:]*))?(?::(.*))?$/s.exec(trimmed) ?? [];
  return { modelId, revision: revision || undefined, selector: selector || undefined };
}
