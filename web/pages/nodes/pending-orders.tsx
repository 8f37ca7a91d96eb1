import type { ReactElement } from 'react';
import type { GivenOrder, KnownNode } from '../../../src/core/protocol/fleet.ts';
import { Age } from '../../parts/age.tsx';
import { Icon } from '../../parts/icon.tsx';
import { describeStage } from '../model/stage-on/plan-stage.ts';
import { CancelOrder } from '../model/stage-on/stage-order.tsx';
import { formatNamed } from '../store/quantizations.ts';

const nameOf = ({ model_id, selector }: GivenOrder): string =>
  model_id === null ? 'every copy' : formatNamed({ modelId: model_id, selector });

/** What the store asked of a node that it has not done. */
export function PendingOrders({ node, orders }: { readonly node: KnownNode; readonly orders: readonly GivenOrder[] }): ReactElement | null {
  const pending = orders.flatMap((order) => {
    const outcome = order.nodes.find((one) => one.node === node.node_id && one.status !== 'done');
    return outcome === undefined ? [] : [{ order, outcome }];
  });
  if (pending.length === 0) return null;
  return (
    <div className="callout warn orders">
      <Icon name="retry" />
      <ul className="plain" aria-label={`Pending orders of ${node.hostname}`}>
        {pending.map(({ order, outcome }) => (
          <li key={order.order_id}>
            {{ evict: 'Delete', purge: 'Purge', stage: 'Stage' }[order.kind]} <strong>{nameOf(order)}</strong>, asked{' '}
            <Age at={order.given_at} />
            {order.kind === 'stage' && (
              <>
                : {describeStage(outcome)} <CancelOrder order={order} />
              </>
            )}
            {order.kind !== 'stage' && outcome.status === 'pending' && ': not answered yet'}
            {order.kind !== 'stage' && outcome.status === 'deferred' && `: later, ${outcome.reason ?? 'it is in use'}`}
            {order.kind !== 'stage' && outcome.status === 'failed' && `: failed, ${outcome.reason ?? 'no reason given'}`}
          </li>
        ))}
      </ul>
    </div>
  );
}
