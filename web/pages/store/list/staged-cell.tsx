import { Fragment, type ReactElement } from 'react';
import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import { useApp, useNode, useStore } from '../../../parts/app-context.ts';
import { Icon } from '../../../parts/icon.tsx';
import { InUse, OlderCopy } from '../../copy-state.tsx';
import { nameMachines } from '../../machine-names.ts';
import { isOlder, type Named, partOf, type StoredDigests, stagedOn } from '../quantizations.ts';
import { namePlaces, onTheWay } from './describe-row.ts';

/** Where a model, or one of its quantizations, is staged, whether it is used or older there, and how many machines it is on the way to. */
export function StagedCell({
  named,
  nodes,
  digests,
}: {
  readonly named: Named;
  readonly nodes: readonly KnownNode[];
  /** Of the model in the store; undefined while they are not known. */
  readonly digests: StoredDigests | undefined;
}): ReactElement {
  const { identity } = useApp();
  const { topics } = useStore();
  const node = useNode();
  const names = nameMachines(nodes);
  const copies = stagedOn(nodes, named);
  const own = node.topics.storage?.models.find((copy) => partOf(copy, named) !== undefined);
  const isHere = own !== undefined;
  const jobs = node.topics.staging?.jobs ?? [];
  const { machines, percent } = onTheWay(named, { orders: topics.orders?.orders ?? [], nodes, jobs, ownId: identity.node_id });
  // What is here is known at once, before this machine has reported it to the store.
  const isReported = copies.some(({ node: { node_id } }) => node_id === identity.node_id);
  const ownName = names.get(identity.node_id ?? '') ?? identity.hostname;
  const nameOf = ({ node_id }: KnownNode): string => names.get(node_id) ?? node_id;
  const places = [...(isHere && !isReported ? [ownName] : []), ...copies.map((one) => nameOf(one.node))];
  const others = copies.filter((one) => one.node.node_id !== identity.node_id);
  const compared = [
    ...(own === undefined ? [] : [{ name: ownName, copy: own }]),
    ...others.map((one) => ({ name: nameOf(one.node), copy: one.whole })),
  ];
  const older = digests === undefined ? [] : compared.filter(({ copy }) => isOlder(copy, named, digests)).map(({ name }) => name);
  const words = namePlaces(places, nodes.length);
  const isNowhere = copies.length === 0 && !isHere;
  return (
    <>
      {!(isNowhere && machines > 0) && (
        <span className={isNowhere ? 'muted' : undefined} title={places.length > 2 ? places.join(', ') : undefined}>
          {places.length === 0 || places.length > 2
            ? words
            : places.map((place, index) => (
                <Fragment key={place}>
                  <span className="place">
                    {place}
                    {index < places.length - 1 && ','}
                  </span>{' '}
                </Fragment>
              ))}
        </span>
      )}{' '}
      {machines > 0 && (
        <span className="badge move">
          <Icon name="up" />
          {percent === undefined ? `${machines} on the way` : `staging ${percent} %`}
        </span>
      )}{' '}
      {copies.some(({ copy }) => copy.in_use) && <InUse />} {older.length > 0 && <OlderCopy on={older} />}
    </>
  );
}
