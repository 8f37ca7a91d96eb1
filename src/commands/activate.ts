import { defineCommand, duration, requiredNumber } from '../cli/definition.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk activate`: mark a copy as in use by a process. */
export const activate = defineCommand({
  name: 'activate',
  summary: 'mark a staged copy as in use by a process',
  description: [
    'For supervisors that start programs themselves. Marks the copy and its companions as in use until `skulk deactivate`, or until the process ends. skulk records the pid and its start time, so a later process with the same pid does not count.',
    'Other machines and containers that share the directory of copies cannot see the process. For them the copy is in use while a `skulk serve` next to the process renews the lease, or otherwise for the time given by --for.',
    'The model must be staged already. `skulk stage --keep 10m` keeps it until you run this command.',
  ],
  arguments: { model: modelArgument() },
  options: {
    pid: requiredNumber('the process that uses the copy', 'PID', { from: 1, to: 4_194_304 }),
    for: duration('how long the copy is in use for other machines and containers if no `skulk serve` runs here', { fallback: '24h' }),
  },
  examples: [['mark the copy as in use by a running program', 'skulk activate mlx-community/Qwen3-4B-4bit --pid 4711']],
  exits: ['not-found', 'no-space'],
  run: async ({ model: ref, pid, for: forMs }, context) => {
    const deps = await context.deps();
    const { activate: take } = await import('../core/operations/stage/leases.ts');
    return take(deps, { ref, pid, forMs });
  },
  text: ({ path }) => [path],
});
