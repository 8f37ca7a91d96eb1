import type { ReactElement } from 'react';
import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import { useApp, useNode, useStore } from '../../../parts/app-context.ts';
import { Icon } from '../../../parts/icon.tsx';
import { InUse } from '../../copy-state.tsx';
import { nameMachines } from '../../machine-names.ts';
import { type Named, partOf, stagedOn } from '../quantizations.ts';
import { namePlaces, onTheWay } from './describe-row.ts';

/** Where a model, or one of its quantizations, is staged, whether it is used there, and how many machines it is on the way to. */
export function StagedCell({ named, nodes }: { readonly named: Named; readonly nodes: readonly KnownNode[] }): ReactElement {
  const { identity } = useApp();
  const { topics } = useStore();
  const node = useNode();
  const names = nameMachines(nodes);
  const copies = stagedOn(nodes, named);
  const isHere = node.topics.storage?.models.some((copy) => partOf(copy, named) !== undefined) === true;
  const jobs = node.topics.staging?.jobs ?? [];
  const { machines, percent } = onTheWay(named, { orders: topics.orders?.orders ?? [], nodes, jobs, ownId: identity.node_id });
  // What is here is known at once, before this machine has reported it to the store.
  const isReported = copies.some(({ node: { node_id } }) => node_id === identity.node_id);
  const here = isHere && !isReported ? [names.get(identity.node_id ?? '') ?? identity.hostname] : [];
  const places = [...here, ...copies.map(({ node: { node_id } }) => names.get(node_id) ?? node_id)];
  const words = namePlaces(places, nodes.length);
  const isNowhere = copies.length === 0 && !isHere;
  return (
    <>
      {!(isNowhere && machines > 0) && (
        <span className={isNowhere ? 'muted' : 'places'} title={places.length > 2 ? places.join(', ') : undefined}>
          {words}
        </span>
      )}{' '}
      {machines > 0 && (
        <span className="badge move">
          <Icon name="up" />
          {percent === undefined ? `${machines} on the way` : `staging ${percent} %`}
        </span>
      )}{' '}
      {copies.some(({ copy }) => copy.in_use) && <InUse />}
    </>
  );
}
