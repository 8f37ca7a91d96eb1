import { type ReactElement, useState } from 'react';
import type { NodeId } from '../../../../core/kernel/machine/node-id.ts';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import { Dialog, useDialogWidth } from '../../parts/dialog.tsx';
import { plural } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { wrap } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

/** Asks before a machine that is gone leaves the list, with its pending orders. */
export function ForgetDialog({ nodeId }: { readonly nodeId: NodeId }): ReactElement {
  const { view, acts, open, run, show } = useDashboard();
  const width = useDialogWidth();
  // Its row may go while the question is open.
  const [{ name, node }] = useState(() => {
    const nodes = view.store?.nodes ?? [];
    const found = nodes.find(({ node_id }) => node_id === nodeId);
    return { node: found, name: found === undefined ? nodeId : nodeNames(nodes)(found) };
  });
  const obstacle =
    node?.connected === true
      ? 'It is connected, so it would come back at once. Stop its server first.'
      : node?.address === null || nodeId === view.node.node_id
        ? 'The store host and this machine cannot be forgotten here.'
        : undefined;
  const orders = node?.pending_orders ?? 0;
  const dropped = orders === 0 ? '' : `, and ${plural(orders, 'order')} that it has not carried out ${orders === 1 ? 'is' : 'are'} dropped`;
  const text = obstacle ?? `It leaves this list${dropped}. Its copies stay on its disk. It comes back when it reports again.`;
  return (
    <Dialog
      title={`Forget ${name}?`}
      tone="bad"
      lines={wrap(text, width).map((line): readonly Part[] => [line])}
      keys={hintParts(
        obstacle === undefined
          ? [
              ['y', 'forget'],
              ['esc', 'keep it'],
            ]
          : [['esc', 'close']],
        width,
      )}
      onKey={(key) => {
        if (key === 'y' && obstacle === undefined) {
          show(undefined);
          run(() => acts.forget(nodeId), `${name} was forgotten`);
        } else if (key !== 'escape' && key !== 'n' && key !== 'q') return;
        open(undefined);
      }}
    />
  );
}
