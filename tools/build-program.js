import { build } from 'rolldown';
import bundles from '../rolldown.config.js';
import { writeDeclarations } from './write-declarations.ts';

// The command line of rolldown would list three hundred files in the output of `npm ci`. One bundle after the other, because the first
// one empties dist/.
for (const bundle of bundles) await build(bundle);
await writeDeclarations();
