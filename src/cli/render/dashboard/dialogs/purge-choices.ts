import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import type { PurgeRequest } from '../../../../core/operations/live/acts.ts';
import type { DashboardView } from '../../../../core/operations/live/open-dashboard.ts';
import type { ReportedCopy } from '../../../../core/protocol/models/reported-copy.ts';
import type { CopyFacts } from '../../lists/copies.ts';
import { partOf } from '../../lists/quantization-columns.ts';
import { plural } from '../../parts/format.ts';
import type { PurgePlace } from '../context.ts';

/** One possible target of a purge. */
export interface PurgeChoice {
  readonly text: string;
  readonly request: Omit<PurgeRequest, 'force'>;
  readonly copies: readonly CopyFacts[];
}

/** The possible targets of a purge: this copy, this machine, everywhere. Omits those that remove nothing. Pure. */
export function purgeChoices(view: DashboardView, { modelId, selector, nodeId }: PurgePlace): readonly PurgeChoice[] {
  const own = ownCopies(view);
  const others = (view.store?.nodes ?? []).filter(({ node_id }) => node_id !== view.node.node_id);
  const everywhere = [...own, ...others.flatMap(({ copies }) => copies ?? [])];
  const one = selector === undefined ? {} : { selector };
  const of = (copies: readonly ReportedCopy[], id: ModelId): readonly CopyFacts[] =>
    copies.flatMap((copy) => partOf(copy, { modelId: id, ...one }) ?? []);
  const machines = others.length + 1;
  const node = nodeId === undefined || nodeId === view.node.node_id ? undefined : others.find(({ node_id }) => node_id === nodeId);
  const choices: readonly PurgeChoice[] = [
    ...(modelId === undefined
      ? []
      : [
          {
            text: selector === undefined ? 'the copy on this machine' : `${selector} on this machine`,
            request: { modelId, ...one, on: 'here' as const },
            copies: of(own, modelId),
          },
        ]),
    ...(modelId === undefined
      ? []
      : [
          {
            text: selector === undefined ? 'its copies on every machine' : `${selector} on every machine`,
            request: { modelId, ...one, on: 'everywhere' as const },
            copies: of(everywhere, modelId),
          },
        ]),
    node === undefined
      ? { text: 'every copy on this machine', request: { modelId: null, on: 'here' }, copies: own }
      : {
          text: `every copy on ${nodeNames(view.store?.nodes ?? [])(node)}`,
          request: { modelId: null, on: { nodeId: node.node_id } },
          copies: node.copies ?? [],
        },
    ...(modelId === undefined
      ? [
          {
            text: `every copy on ${plural(machines, 'machine')}`,
            request: { modelId: null, on: 'everywhere' as const },
            copies: everywhere,
          },
        ]
      : []),
  ];
  // A node that does not report its copies may have some anyway.
  return choices.filter(({ copies, request }) => copies.length > 0 || (typeof request.on === 'object' && node?.staged_models !== 0));
}

/** An unfinished copy takes space too. */
function ownCopies({ staging }: DashboardView): readonly ReportedCopy[] {
  if (staging === null) return [];
  const whole = new Set(staging.models.map(({ model_id }) => model_id));
  const parts = staging.unfinished.filter(({ model_id }) => !whole.has(model_id));
  return [...staging.models, ...parts.map((part) => ({ ...part, last_used: '', in_use: false, over_budget: false }))];
}
