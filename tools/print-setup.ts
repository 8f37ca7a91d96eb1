import { existsSync } from 'node:fs';

/** Prints in a line what `npm ci` has installed, and what it has not. */
const llama = existsSync(new URL('../test/llama/node_modules/', import.meta.url))
  ? ''
  : ' `npm run test:setup` adds llama.cpp for its tests (120 MB).';
process.stdout.write(`skulk is built, with everything that it is developed with, Node ${process.versions.node} included.${llama}\n`);
