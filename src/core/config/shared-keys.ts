/** Sections of `model_store` that only later releases of the Python program know. */
export const laterSections: readonly string[] = ['reconciliation'];

/** Keys of ours that the Python program refuses in a file that both read; the file then does not load there at all. */
export const refusedByPython: readonly string[] = [
  'model_store.cards_path',
  'model_store.browse_roots',
  'model_store.auth',
  'model_store.download.max_concurrent',
];
