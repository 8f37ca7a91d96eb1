import type { Deps } from '../../connect/deps.ts';
import { detectEngine, engines, variableOf } from '../../engines/engines.ts';
import { type Check, ok, skipped, warning } from './check.ts';

/** Lists the engines that this machine has for `skulk optimize`, one check for each. */
export async function checkEngines({ world }: Deps): Promise<readonly Check[]> {
  const { env, platform, homeDirectory, signal } = world;
  return Promise.all(
    engines.map(async (engine): Promise<Check> => {
      const id = `engine ${engine.name}` as const;
      const state = await detectEngine(engine, { env, platform, arch: process.arch, homeDirectory, signal });
      switch (state.is) {
        case 'found':
          return ok(id, `${state.found.program}, ${state.found.version === null ? 'version unknown' : `version ${state.found.version}`}`);
        case 'missing':
          return skipped(id, `not installed; to install it: ${engine.install}`);
        case 'unfit': {
          const variable = variableOf(engine);
          return env[variable] === undefined
            ? skipped(id, state.why)
            : warning(id, state.why, `set ${variable} to another program, or unset it`);
        }
      }
    }),
  );
}
