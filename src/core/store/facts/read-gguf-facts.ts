import { lstat } from 'node:fs/promises';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import { type ChatTemplate, type GgufHeader, parseOllamaTemplate } from '../../catalog/gguf-header.ts';
import { askGgufThread, gaveUp } from './gguf-thread.ts';

/** What the metadata of a GGUF file says. Undefined for what is no GGUF file, is damaged, or means harm. */
export async function readGgufFacts(path: string): Promise<GgufFacts | undefined> {
  const found = await askAbout('facts', path);
  return found === gaveUp ? undefined : (found as GgufFacts | undefined);
}

/** What a registry says of a file, and whether the same file would always give this. */
interface ReadHeader {
  readonly header: GgufHeader;
  readonly isCertain: boolean;
}

/** The same for a registry. */
export const readGgufHeader = async (path: string): Promise<ReadHeader> => toHeader(await askAbout('header', path));

/** The same of a file that is not here, by its first bytes; undefined where its head is longer. @param size of the file */
export async function readHeaderOfBytes(bytes: Uint8Array, size: number): Promise<GgufHeader | undefined> {
  const found = await askGgufThread({ about: 'header', bytes, size });
  return found === undefined ? undefined : (await toHeader(found)).header;
}

/** The template is converted by itself, so that a hostile one costs nothing else. */
async function toHeader(found: unknown): Promise<ReadHeader> {
  if (found === undefined || found === gaveUp) return { header: {}, isCertain: found === undefined };
  const { header, template } = found as { readonly header: GgufHeader; readonly template: ChatTemplate | undefined };
  if (template === undefined) return { header, isCertain: true };
  const converted = await askGgufThread({ about: 'template', template });
  return { header: { ...header, chat: template, ollama: parseOllamaTemplate(converted) }, isCertain: converted !== gaveUp };
}

/** Neither a link, which may lead anywhere, nor a pipe, which would be waited for. */
const askAbout = (about: 'facts' | 'header', path: string): Promise<unknown> =>
  askGgufThread({ about, path }, async () => {
    if (!(await lstat(path)).isFile()) throw new Error('it is not a file');
  }).catch(() => undefined);
