/*
 * Recorded requests of clients, or the requests in their source if they cannot run here. A call has its requests in order. A request has
 * the status that this store returns. `{commit}` is replaced by the commit of the model in the path. `{model}`, `{projector}`,
 * `{template}`, `{params}` and `{config}` are the digests in the manifest of the model, `{end}` the last byte of such a blob, and `{etag}`
 * the ETag in the previous answer.
 */

/** One request, and what it must be answered with. */
export interface Sent {
  /** The method and the target, byte by byte. */
  readonly line: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The `X-Error-Code`, or the code of a registry. */
  readonly code?: string;
  /** The client closes the connection when it has the head. */
  readonly leaves?: true;
}

/** What one call of a client sends. */
export interface Call {
  readonly does: string;
  readonly sends: readonly Sent[];
}

/** A client, and the headers of all of its requests. */
export interface Client {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: readonly Call[];
}

/** What is special about a request. */
type More = Omit<Sent, 'line' | 'status'>;

export const get = (target: string, status = 200, more: More = {}): Sent => ({ line: `GET ${target}`, status, ...more });
export const head = (target: string, status = 200, more: More = {}): Sent => ({ line: `HEAD ${target}`, status, ...more });
export const post = (target: string, status: number, more: More): Sent => ({ line: `POST ${target}`, status, ...more });
export const call = (does: string, ...sends: readonly Sent[]): Call => ({ does, sends });

/** The files of `acme/tiny-llama`, as a URL names them. */
export const llamaFiles = [
  '.gitattributes',
  'README.md',
  'config.json',
  'empty.txt',
  'model.safetensors',
  'sub/deep/x%20y%2B%C3%A9.json',
  'tokenizer.json',
  'tokenizer_config.json',
] as const;

/** The sizes that the requests count with, in bytes: a tenth of those of the models that were asked for. */
export const sizes = { safetensors: 1_200_075, q4: 300_000, q8: 500_000, shard: 100_000, projector: 40_000 } as const;

export const llama = '/acme/tiny-llama/resolve';
export const gguf = '/acme/tiny-GGUF/resolve';
export const llamaApi = '/api/models/acme/tiny-llama';
export const ggufApi = '/api/models/acme/tiny-GGUF';
export const shard = (number: number): string => `BF16/tiny-BF16-0000${number}-of-00003.gguf`;
