import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';

/*
 * Pulls like Ollama: its requests, their headers and its handling of the answers. Source: server/images.go and server/download.go of Ollama
 * at fb30760 (2026-08-21).
 */

/** The result of a pull. */
export interface Pulled {
  readonly manifest: OllamaManifest;
  /** By digest, each with the right sha256. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** `METHOD path -> status [range]`, in the order of the answers. */
  readonly requests: readonly string[];
}

export interface OllamaManifest {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly config: OllamaLayer;
  readonly layers: readonly OllamaLayer[];
}

export interface OllamaLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Pull {
  /** The smallest part of a file, in bytes; Ollama's own is 100 MB. */
  readonly partBytes?: number;
  /** The answers as Ollama parses them, to check the fields that it needs. */
  readonly see?: (answer: IncomingMessage) => void;
}

const partsOfFile = 16;
const userAgent = 'ollama/0.0.0 (amd64 linux) Go/go1.26.0';

/** @throws Error with the text that Ollama shows */
export async function ollamaPull(
  url: string,
  { model, tag }: { readonly model: string; readonly tag: string },
  { partBytes = 100_000_000, see = () => {} }: Pull = {},
): Promise<Pulled> {
  const requests: string[] = [];
  const send = async (method: string, target: URL, headers: Record<string, string>): Promise<IncomingMessage> => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(target, { method, headers }, resolve).once('error', reject).end();
    });
    see(answer);
    requests.push(`${method} ${target.pathname} -> ${answer.statusCode}${headers['Range'] === undefined ? '' : ` ${headers['Range']}`}`);
    return answer;
  };
  /** `makeRequestWithRetry` without its exchange of keys, which must never start. */
  const ask = async (method: string, target: URL, headers: Record<string, string> = {}): Promise<IncomingMessage> => {
    const answer = await send(method, target, { 'User-Agent': userAgent, 'Accept-Encoding': 'gzip', ...headers });
    const { statusCode = 0 } = answer;
    if (statusCode === 401) throw new Error('Ollama would begin an exchange of keys');
    if (statusCode === 404) throw new Error('file does not exist');
    if (statusCode >= 400) throw new Error(`${statusCode}: ${(await bodyOf(answer)).toString()}`);
    return answer;
  };
  const manifestUrl = new URL(`/v2/${model}/manifests/${tag}`, url);
  const answer = await ask('GET', manifestUrl, { Accept: 'application/vnd.docker.distribution.manifest.v2+json' });
  const manifest = JSON.parse((await bodyOf(answer)).toString()) as OllamaManifest;
  const blobs = new Map<string, Buffer>();
  for (const { digest } of [...manifest.layers, manifest.config]) {
    if (blobs.has(digest)) continue;
    const blobUrl = new URL(`/v2/${model}/blobs/${digest}`, url);
    const head = await ask('HEAD', blobUrl);
    const total = Number(head.headers['content-length']);
    head.resume();
    const direct = await directUrl(await ask('GET', blobUrl), blobUrl);
    const size = Math.min(Math.max(Math.floor(total / partsOfFile), partBytes), 1_000_000_000);
    const offsets = Array.from({ length: Math.ceil(total / size) }, (_, index) => index * size);
    const parts = await inParallel(partsOfFile, offsets, async (offset) => {
      const end = Math.min(offset + size, total);
      const part = await send('GET', direct, { 'User-Agent': 'Go-http-client/1.1', Range: `bytes=${offset}-${end - 1}` });
      const bytes = await bodyOf(part);
      // It copies as many bytes as the part has, and counts.
      if (bytes.length < end - offset) throw new Error('unexpected EOF');
      return bytes.subarray(0, end - offset);
    });
    const bytes = Buffer.concat(parts);
    const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (actual !== digest) throw new Error(`digest mismatch, file must be downloaded again: want ${digest}, got ${actual}`);
    blobs.set(digest, bytes);
  }
  return { manifest, blobs, requests };
}

/** The address of the parts: `resp.Location()` of Go, also of a 200, whose body is not read. */
async function directUrl(answer: IncomingMessage, asked: URL): Promise<URL> {
  const { location } = answer.headers;
  answer.destroy();
  if (answer.statusCode !== 200 && answer.statusCode !== 307) throw new Error(`unexpected status code ${answer.statusCode}`);
  if (location === undefined) throw new Error('http: no Location header in response');
  return new URL(location, asked);
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function inParallel<T, R>(limit: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
