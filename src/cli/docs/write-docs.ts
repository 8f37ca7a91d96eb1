/** Writes man/ from the definitions; with `--check` only says what differs (exit status 1). Run by `npm run docs`. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { commandLoaders } from '../../commands/index.ts';
import { makePages } from './pages.ts';

const directory = fileURLToPath(new URL('../../../man/', import.meta.url));
const pages = await makePages(commandLoaders);
const isCheck = process.argv.includes('--check');
await mkdir(directory, { recursive: true });
const present = new Map(
  await Promise.all((await readdir(directory)).map(async (name) => [name, await readFile(`${directory}${name}`, 'utf8')] as const)),
);
const stale = [...new Set([...present.keys(), ...pages.keys()])].filter((name) => present.get(name) !== pages.get(name));
for (const name of stale) {
  const page = pages.get(name);
  if (isCheck) process.stderr.write(`man/${name} is not what the definitions say; run: npm run docs\n`);
  else if (page === undefined) await rm(`${directory}${name}`);
  else await writeFile(`${directory}${name}`, page);
}
if (isCheck && stale.length > 0) process.exitCode = 1;
