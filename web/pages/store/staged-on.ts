import type { Copy, StoreNode } from '../../api/shapes.ts';

/** A node that has a copy of a model. */
export interface StagedOn {
  readonly node: StoreNode;
  readonly copy: Copy;
}

/** The nodes that told of a copy of a model, by hostname. Pure. */
export const stagedOn = (nodes: readonly StoreNode[], modelId: string): readonly StagedOn[] =>
  nodes
    .flatMap((node) => {
      const copy = node.copies?.find(({ model_id }) => model_id === modelId);
      return copy === undefined ? [] : [{ node, copy }];
    })
    .toSorted((a, b) => a.node.hostname.localeCompare(b.node.hostname));
