import { build } from 'rolldown';
import bundles from '../rolldown.config.js';
import { writeDeclarations } from './write-declarations.ts';

// The command line of rolldown lists three hundred files, and so would `npm ci`.
// One after the other: the first one empties dist/.
for (const bundle of bundles) await build(bundle);
await writeDeclarations();
