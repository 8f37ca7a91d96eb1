/** The only source of the commands for programs; it does not use Node, so that the browser can use it. */
export type { Endpoint, ProgramName, ProgramUse, Way } from '../../src/core/catalog/programs/programs.ts';
export { listUses, usedSelector } from '../../src/core/catalog/programs/use-program.ts';
