/** The one reader of what people paste; it has no imports and checks nothing, so that the browser may use it. */
export { splitRef } from '../../src/core/kernel/split-ref.ts';
