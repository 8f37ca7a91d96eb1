import type { ConfigFile } from './schema.ts';

/** Sections of `model_store` that only later releases of the Python program support. */
export const laterSections: readonly string[] = ['reconciliation'];

/** skulk's keys that the Python program rejects in a file that both read; it then does not load the file at all. */
export const refusedByPython: readonly string[] = [
  'model_store.cards_path',
  'model_store.browse_roots',
  'model_store.auth',
  'model_store.download.max_concurrent',
];

/** The keys of skulk.yaml whose values are never shown, logged or sent. */
export const secretKeys: readonly string[] = ['model_store.auth.token', 'hf_token'];

/** Whether a file contains a secret, so that only its owner should be able to read it. */
export const holdsSecret = (content: ConfigFile): boolean =>
  secretKeys.some((key) => {
    const value = key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | null | undefined)?.[part], content);
    return value !== undefined && value !== null && value !== '';
  });
