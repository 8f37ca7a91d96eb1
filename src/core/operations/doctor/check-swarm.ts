import type { Deps } from '../../connect/deps.ts';
import { aria2Version, findAria2, swarmPorts } from '../../swarm/aria2.ts';
import { type Check, ok, skipped, warning } from './check.ts';

/** Whether this machine can share models with other nodes, which the policy of the store must also allow. */
export async function checkSwarm({ world, config }: Deps): Promise<Check> {
  const id = 'swarm';
  if (!config.swarm.isEnabled)
    return skipped(id, 'swarm.enabled is false in machine.yaml, so this machine does not share models with other nodes');
  const program = findAria2(world);
  if (program === undefined)
    return skipped(
      id,
      'aria2 is not installed; with it (apt install aria2, brew install aria2), nodes that stage one model at the same time share it',
    );
  const version = await aria2Version(program);
  if (version === undefined) return warning(id, `${program} does not start`, `run \`${program} --version\`, and install aria2 again`);
  const { port } = config.swarm;
  return ok(
    id,
    `aria2 ${version} is installed: nodes that stage one model at the same time share it, unless the policy of the store forbids it; firewalls must allow TCP ports ${swarmPorts(port)} between nodes (one for each model that is being staged, the lowest first)`,
  );
}
