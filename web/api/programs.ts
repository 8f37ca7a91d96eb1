/** The one source of the lines to type for programs; it has nothing of Node, so that the browser may use it. */
export type { Endpoint, ProgramName, ProgramUse, Way } from '../../src/core/catalog/programs/programs.ts';
export { listUses, usedSelector } from '../../src/core/catalog/programs/use-program.ts';
