/** Checks who imports whom in src and web; exit status 1 and a line for each trespass. Run by `npm run check:rooms`. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findTrespasses } from './find-trespasses.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = globSync('**/*.{ts,tsx}', { cwd: `${root}src` }).map((path) => [path, `src/${path}`] as const);
const pages = globSync('web/*/**/*.{ts,tsx}', { cwd: root }).map((path) => [path, path] as const);
const files = new Map([...sources, ...pages].map(([name, path]) => [name, readFileSync(root + path, 'utf8')] as const));
const trespasses = findTrespasses(files);
for (const trespass of trespasses) process.stderr.write(`${trespass.startsWith('web/') ? '' : 'src/'}${trespass}\n`);
if (trespasses.length > 0) process.exitCode = 1;
