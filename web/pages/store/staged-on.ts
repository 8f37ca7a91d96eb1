import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models.ts';

/** A node that has a copy of a model. */
export interface StagedOn {
  readonly node: KnownNode;
  readonly copy: ReportedCopy;
}

/** The nodes that told of a copy of a model, by hostname. Pure. */
export const stagedOn = (nodes: readonly KnownNode[], modelId: string): readonly StagedOn[] =>
  nodes
    .flatMap((node) => {
      const copy = node.copies?.find(({ model_id }) => model_id === modelId);
      return copy === undefined ? [] : [{ node, copy }];
    })
    .toSorted((a, b) => a.node.hostname.localeCompare(b.node.hostname));
