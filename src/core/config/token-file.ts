import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { textFormats } from '../kernel/text-format.ts';
import type { World } from '../kernel/world.ts';
import { placeOf, type Setting } from './settings.ts';

/** The Hugging Face token that `hf auth login` saved on this machine. */
export interface TokenFile {
  readonly path: string;
  readonly token: string;
}

const maxTokenLength = 4096;

/** Reads the token file of the Hub's own tools, at HF_TOKEN_PATH, in HF_HOME or in the cache directory; undefined without one. */
export async function readTokenFile({ env, cwd, homeDirectory }: World): Promise<TokenFile | undefined> {
  const { HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homeDirectory, '.cache'), 'huggingface');
  const path = resolve(cwd, HF_TOKEN_PATH || join(home, 'token'));
  const text = await readFile(path, 'utf8').catch(() => '');
  const token = text.trim();
  return token === '' || token.length > maxTokenLength ? undefined : { path, token };
}

/**
 * A token without the line break that a file of a secret ends with.
 * @throws SkulkError CONFIG for a text that cannot be sent as a token; it does not repeat the text
 */
export function tidyToken({ value, origin }: Setting<string | undefined>): Setting<string | undefined> {
  const token = value?.trim();
  if (token === undefined || new RegExp(textFormats.token.pattern).test(token)) return { value: token, origin };
  const name = origin.from === 'file' ? `${placeOf(origin)}${origin.key}` : 'name' in origin ? origin.name : 'the token';
  throw new SkulkError('CONFIG', `${name} ${textFormats.token.message}`, { hint: 'copy the token again' });
}
