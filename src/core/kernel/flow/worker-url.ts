/**
 * The file of a worker thread. In the sources it is beside the importing file; in the bundle it is at the top.
 * @param from `import.meta.url` of the importing file
 * @param name without its extension
 */
export function workerUrl(from: string, name: string): URL {
  if (from.endsWith('.ts')) return new URL(`./${name}.ts`, from);
  return new URL(from.includes('/chunks/') ? `../${name}.js` : `./${name}.js`, from);
}
