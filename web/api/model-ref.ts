/** The only parser of pasted references; it has no imports and checks nothing, so that the browser can use it. */
export { type RefParts, splitRef } from '../../src/core/kernel/split-ref.ts';
