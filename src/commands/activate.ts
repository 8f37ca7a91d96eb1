import { defineCommand, duration, requiredNumber } from '../cli/definition.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk activate`: say that a process uses a copy. */
export const activate = defineCommand({
  name: 'activate',
  summary: 'say that a process uses a staged copy',
  description: [
    'For supervisors that start programs themselves. The copy and its companions are in use until `skulk deactivate`, or until the process ends: its pid and start time are noted, so that a later process of the same pid does not count.',
    'Other machines and containers that share the directory of copies cannot see the process. For them the copy is in use while a `skulk serve` beside the process says so, and without one for as long as --for says.',
    'The model must be staged already; `skulk stage --keep 10m` keeps it until this command is run.',
  ],
  arguments: { model: modelArgument() },
  options: {
    pid: requiredNumber('the process that uses it', 'PID', { from: 1, to: 4_194_304 }),
    for: duration('how long other machines and containers keep the copy when no `skulk serve` runs here', { fallback: '24h' }),
  },
  examples: [['mark the copy as in use by a program that runs', 'skulk activate mlx-community/Qwen3-4B-4bit --pid 4711']],
  exits: ['not-found', 'no-space'],
  run: async ({ model: ref, pid, for: forMs }, context) => {
    const deps = await context.deps();
    const { activate: take } = await import('../core/operations/stage/leases.ts');
    return take(deps, { ref, pid, forMs });
  },
  text: ({ path }) => [path],
});
