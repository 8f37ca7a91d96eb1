import type { ReactElement } from 'react';
import type { NodeId } from '../../../../core/kernel/machine/node-id.ts';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import { formatRef } from '../../../../core/kernel/model-id.ts';
import type { DigestsOfStore } from '../../../../core/operations/live/read-digests.ts';
import type { GivenOrder, KnownNode } from '../../../../core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../../core/protocol/models/reported-copy.ts';
import { nameCopy } from '../../lists/copies.ts';
import { stateOf as stateOfCopy } from '../../lists/copy-columns.ts';
import { describeOutcome, stateOf } from '../../lists/node-columns.ts';
import { describeOlder } from '../../lists/older-parts.ts';
import { factLines } from '../../parts/facts.ts';
import { formatAge, formatBytes, formatTime, plural } from '../../parts/format.ts';
import type { Column } from '../../parts/lay-out.ts';
import { tableLines } from '../../parts/table-lines.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { DetailsPage } from './details-page.tsx';

type Lines = readonly (readonly Part[])[];

/** A machine: its identity, its pending orders, and its copies. */
export function NodeDetailsPage({ nodeId }: { readonly nodeId: NodeId }): ReactElement {
  const { view, now, width, open } = useDashboard();
  const node = view.store?.nodes?.find(({ node_id }) => node_id === nodeId);
  if (node === undefined)
    return <DetailsPage title={nodeId} lines={[[{ text: '  The store no longer knows it.', tone: 'warn' }]]} onKey={() => false} />;
  const lines = [
    ...nodeLines(node, now, width),
    ...orderLines(node, view.store?.orders ?? [], { now, width }),
    ...copyLines(node, view.digests, { now, width }),
  ];
  const onKey = (key: string): boolean => {
    if (key === 'p') open({ kind: 'purge', modelId: undefined, nodeId });
    else if (key === 'f') open({ kind: 'forget', nodeId });
    else return false;
    return true;
  };
  return <DetailsPage title={nodeNames(view.store?.nodes ?? [])(node)} lines={lines} onKey={onKey} />;
}

function nodeLines(node: KnownNode, now: Date, width: number): Lines {
  const { node_id, address, version, connected, last_seen, staged_models, staged_bytes, free_bytes, budget_bytes } = node;
  const state = stateOf(node);
  return factLines(
    [
      [
        'state',
        typeof state === 'object' && 'text' in state ? state.text : '',
        typeof state === 'object' && 'text' in state ? state.tone : 'plain',
      ],
      ['id', node_id],
      ['address', address],
      ['version', version === '' ? null : `skulk ${version}`],
      ['seen', connected ? 'now' : `${formatTime(last_seen)}, ${formatAge(last_seen, now)}`],
      [
        'staged',
        staged_models === null || staged_bytes === null
          ? 'not reported'
          : `${plural(staged_models, 'copy', 'copies')}, ${formatBytes(staged_bytes)}`,
      ],
      ['budget', budget_bytes === null ? 'nothing is evicted automatically' : `${formatBytes(budget_bytes)} for idle copies`],
      ['free', free_bytes === null ? null : formatBytes(free_bytes)],
    ],
    width,
  );
}

function orderLines({ node_id }: KnownNode, orders: readonly GivenOrder[], { now, width }: { now: Date; width: number }): Lines {
  const pending = orders.flatMap(({ kind, model_id, selector, given_at, nodes }) => {
    const outcome = nodes.find(({ node, status }) => node === node_id && status !== 'done');
    return outcome === undefined
      ? []
      : [
          `${kind === 'evict' ? 'delete' : kind} ${model_id === null ? 'every copy' : formatRef({ modelId: model_id, selector })}, asked ${formatAge(given_at, now)}: ${describeOutcome(outcome)}`,
        ];
  });
  return factLines(
    pending.map((text, index) => [index === 0 ? 'pending' : ' ', text, 'warn']),
    width,
  );
}

function copyLines(
  { copies, staged_models }: KnownNode,
  digests: DigestsOfStore,
  { now, width }: { readonly now: Date; readonly width: number },
): Lines {
  if (copies === null)
    return staged_models === null || staged_models === 0 ? [] : [[], [{ text: '  It does not report single copies.', tone: 'quiet' }]];
  if (copies.length === 0) return [[], [{ text: '  Nothing is staged there.', tone: 'quiet' }]];
  return [[], ...tableLines(copyColumns(now, digests), copies, width).map((parts) => ['  ', ...parts])];
}

const copyColumns = (now: Date, digests: DigestsOfStore): readonly Column<ReportedCopy>[] => [
  { title: 'MODEL', flexMinWidth: 20, cut: 'middle', cell: (copy) => nameCopy(copy, digests.get(copy.model_id)) },
  { title: 'SIZE', align: 'right', cell: ({ size_bytes }) => formatBytes(size_bytes) },
  { title: 'LAST USED', align: 'right', cell: ({ last_used }) => ({ text: formatAge(last_used, now, ''), tone: 'quiet' }) },
  { title: 'STATE', cell: (copy) => stateOfCopy(copy, { older: describeOlder(copy, digests.get(copy.model_id)) }) },
];
