import type { NodeId } from '../../../../core/kernel/machine/node-id.ts';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { ModelRef } from '../../../../core/kernel/model-id.ts';
import type { DashboardView } from '../../../../core/operations/live/open-dashboard.ts';
import { stageOrders } from '../../../../core/protocol/fleet.ts';
import { partOf } from '../../lists/quantization-columns.ts';
import { formatBytes, plural } from '../../parts/format.ts';
import type { Tone } from '../../parts/words.tsx';

/** Machines that can be asked to stage. */
export interface StageChoice {
  readonly text: string;
  /** What is known of the machine, in few words. */
  readonly state: string;
  readonly tone: Tone;
  /** Empty for a machine that cannot be asked. */
  readonly nodes: readonly NodeId[];
}

/**
 * The machines beside this one that can stage a model or a quantization: all that lack it, then each by name. The store host uses its own
 * files. Pure.
 */
export function stageChoices({ store, node: own }: DashboardView, named: ModelRef): readonly StageChoice[] {
  const nodes = store?.nodes ?? [];
  const nameOf = nodeNames(nodes);
  const choices = nodes
    .filter(({ node_id, address }) => node_id !== own.node_id && address !== null)
    .map((node): StageChoice => {
      const { node_id, copies, knows, version, connected, agent, free_bytes } = node;
      const text = nameOf(node);
      const isAble = knows?.includes(stageOrders) === true;
      if (copies?.some((copy) => partOf(copy, named) !== undefined) === true)
        return { text, state: 'has it; updates it', tone: 'good', nodes: isAble ? [node_id] : [] };
      if (!isAble) return { text, state: `skulk ${version} cannot be asked`, tone: 'quiet', nodes: [] };
      if (!connected) return { text, state: agent ? 'away; stages it later' : 'no agent; stages it later', tone: 'warn', nodes: [node_id] };
      return { text, state: free_bytes === null ? '' : `${formatBytes(free_bytes)} free`, tone: 'quiet', nodes: [node_id] };
    })
    .toSorted((a, b) => a.text.localeCompare(b.text));
  const lacking = choices.filter(({ tone }) => tone !== 'good').flatMap((choice) => choice.nodes);
  if (lacking.length < 2) return choices;
  return [{ text: `all ${plural(lacking.length, 'machine')} that lack it`, state: '', tone: 'plain', nodes: lacking }, ...choices];
}
