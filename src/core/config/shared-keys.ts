/** Sections of `model_store` that only later releases of the Python program support. */
export const laterSections: readonly string[] = ['reconciliation'];

/** skulk's keys that the Python program rejects in a file that both read; it then does not load the file at all. */
export const refusedByPython: readonly string[] = [
  'model_store.cards_path',
  'model_store.browse_roots',
  'model_store.auth',
  'model_store.download.max_concurrent',
];
