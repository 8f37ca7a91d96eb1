/**
 * Checks the imports of src and web, and prints each room with its files and its imports. Run by `npm run check:rooms`. With violations it
 * prints them instead, a line each, and exits with status 1.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeRooms } from './describe-rooms.ts';
import { findRoomViolations, findUpwardRules } from './find-room-violations.ts';
import { rooms } from './rooms.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = globSync('**/*.{ts,tsx}', { cwd: `${root}src` }).map((path) => [path, `src/${path}`] as const);
const pages = globSync('web/*/**/*.{ts,tsx}', { cwd: root }).map((path) => [path, path] as const);
const files = new Map([...sources, ...pages].map(([name, path]) => [name, readFileSync(root + path, 'utf8')] as const));
const violations = [
  ...findUpwardRules(rooms),
  ...findRoomViolations(files).map((violation) => `${violation.startsWith('web/') ? '' : 'src/'}${violation}`),
];
for (const violation of violations) process.stderr.write(`${violation}\n`);
if (violations.length > 0) process.exitCode = 1;
else process.stdout.write(`${describeRooms(files)}\n`);
