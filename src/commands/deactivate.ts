import { aside, defineCommand, number } from '../cli/definition.ts';
import { formatRef } from '../core/kernel/model-id.ts';
import { plural } from '../core/kernel/units.ts';
import { budgetLines } from './budget-lines.ts';
import { failedRemovals } from './failed-removals.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk deactivate`: mark a copy as no longer in use. */
export const deactivate = defineCommand({
  name: 'deactivate',
  summary: 'mark a staged copy as no longer in use',
  description: [
    'Ends the use that `skulk activate` or `skulk stage --keep` started, for one process or for all, and then evicts idle copies that exceed the budget. A copy that `skulk run` uses stays in use. With a selector, only the use of that quantization ends. It is not an error if nothing was active.',
  ],
  arguments: { model: modelArgument() },
  options: { pid: number('only for this process', 'PID', { from: 1, to: 4_194_304 }) },
  examples: [
    ['when the program has ended', 'skulk deactivate mlx-community/Qwen3-4B-4bit --pid 4711'],
    ['only one quantization', 'skulk deactivate bartowski/Foo-GGUF:Q4_K_M'],
  ],
  exits: ['partial'],
  run: async ({ model: ref, pid }, context) => {
    const deps = await context.deps();
    const { deactivate: release } = await import('../core/operations/stage/leases.ts');
    return release(deps, { ref, pid });
  },
  text: ({ model_id: modelId, selector, released, ...budget }) => {
    const name = formatRef({ modelId, selector: selector ?? undefined });
    return [
      released.length === 0 ? aside(`${name} was not active`) : `released ${plural(released.length, 'lease')} on ${name}`,
      ...budgetLines(budget),
    ];
  },
  failure: ({ failed }) => failedRemovals(failed),
});
