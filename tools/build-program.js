import { build } from 'rolldown';
import config from '../rolldown.config.js';

// The command line of rolldown lists three hundred files, and so would `npm ci`.
await build(config);
