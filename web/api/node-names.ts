export { nodeNames } from '../../src/core/kernel/machine/node-names.ts';
