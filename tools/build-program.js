import { build } from 'rolldown';
import config from '../rolldown.config.js';
import { writeDeclarations } from './write-declarations.ts';

// The command line of rolldown lists three hundred files, and so would `npm ci`.
await build(config);
writeDeclarations();
