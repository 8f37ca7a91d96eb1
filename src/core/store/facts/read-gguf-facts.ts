import { lstat } from 'node:fs/promises';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import { type ChatTemplate, type GgufHeader, parseOllamaTemplate } from '../../catalog/gguf-header.ts';
import { askGgufThread, gaveUp } from './gguf-thread.ts';

/** Reads facts from the metadata of a GGUF file. Undefined if it is not a GGUF file, damaged, or hostile. */
export async function readGgufFacts(path: string): Promise<GgufFacts | undefined> {
  const found = await askAbout('facts', path);
  return found === gaveUp ? undefined : (found as GgufFacts | undefined);
}

/** The same of a remote file, by its first bytes; undefined also if its head is longer. @param size of the file */
export async function readGgufFactsOfBytes(bytes: Uint8Array, size: number): Promise<GgufFacts | undefined> {
  const found = await askGgufThread({ about: 'facts', bytes, size }).catch(() => undefined);
  return found === gaveUp ? undefined : (found as GgufFacts | undefined);
}

/** A registry's data about a file, and whether the same file would always give the same data. */
interface ReadHeader {
  readonly header: GgufHeader;
  readonly isCertain: boolean;
}

/** Like `readGgufFacts`, for a registry. */
export const readGgufHeader = async (path: string): Promise<ReadHeader> => toHeader(await askAbout('header', path));

/** Like `readGgufHeader`, for a remote file, by its first bytes; undefined if its head is longer. @param size of the file */
export async function readHeaderOfBytes(bytes: Uint8Array, size: number): Promise<GgufHeader | undefined> {
  const found = await askGgufThread({ about: 'header', bytes, size });
  return found === undefined ? undefined : (await toHeader(found)).header;
}

/** The template is converted separately, so that a hostile one does not affect the rest. */
async function toHeader(found: unknown): Promise<ReadHeader> {
  if (found === undefined || found === gaveUp) return { header: {}, isCertain: found === undefined };
  const { header, template } = found as { readonly header: GgufHeader; readonly template: ChatTemplate | undefined };
  if (template === undefined) return { header, isCertain: true };
  const converted = await askGgufThread({ about: 'template', template });
  return { header: { ...header, chat: template, ollama: parseOllamaTemplate(converted) }, isCertain: converted !== gaveUp };
}

/** Do not follow a link, which may lead anywhere, and do not wait for a pipe. */
const askAbout = (about: 'facts' | 'header', path: string): Promise<unknown> =>
  askGgufThread({ about, path }, async () => {
    if (!(await lstat(path)).isFile()) throw new Error('it is not a file');
  }).catch(() => undefined);
