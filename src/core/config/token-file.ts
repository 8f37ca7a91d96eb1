import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { World } from '../kernel/world.ts';

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
