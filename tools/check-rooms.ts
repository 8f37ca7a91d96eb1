/** Checks who imports whom in src; exit status 1 and a line for each trespass. Run by `npm run check:rooms`. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findTrespasses } from './find-trespasses.ts';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const files = new Map(globSync('**/*.ts', { cwd: root }).map((path) => [path, readFileSync(root + path, 'utf8')] as const));
const trespasses = findTrespasses(files);
for (const trespass of trespasses) process.stderr.write(`src/${trespass}\n`);
if (trespasses.length > 0) process.exitCode = 1;
