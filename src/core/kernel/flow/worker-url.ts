/**
 * Where a thread's file lies: beside the one that asks in the sources, at the top of the bundle.
 * @param from the asking file's `import.meta.url`
 * @param name without its ending
 */
export function workerUrl(from: string, name: string): URL {
  if (from.endsWith('.ts')) return new URL(`./${name}.ts`, from);
  return new URL(from.includes('/chunks/') ? `../${name}.js` : `./${name}.js`, from);
}
