import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models/reported-copy.ts';
import type { ShownModel, StoredQuantization } from '../../../src/core/protocol/models/shown-model.ts';

/** What is asked of one model, or of one of its quantizations. */
export interface Named {
  readonly modelId: string;
  /** The whole model when undefined. */
  readonly selector?: string | undefined;
}

/** As a command takes it: `org/name:Q4_K_M`. */
export const formatNamed = ({ modelId, selector }: Named): string => (selector === undefined ? modelId : `${modelId}:${selector}`);

/** What a download brings, as far as it was named. */
export const nameOfDownload = ({ modelId, selector, request }: Pick<DownloadStatus, 'modelId' | 'selector' | 'request'>): string =>
  formatNamed({ modelId, selector: selector ?? request.gguf_file ?? undefined });

/** Tells downloads apart: a model may have several. */
export const keyOfDownload = ({ modelId, download_id: id }: Pick<DownloadStatus, 'modelId' | 'download_id'>): string =>
  id === undefined ? modelId : `${modelId} ${id}`;

/** What a copy has of what is named; undefined when it does not have it, or does not tell. Pure. */
export function partOf(
  copy: ReportedCopy,
  { modelId, selector }: Named,
): (Omit<ReportedCopy, 'model_id' | 'quantizations'> & { readonly digest?: string | null }) | undefined {
  if (copy.model_id !== modelId) return undefined;
  if (selector === undefined) return copy;
  return copy.quantizations?.find((one) => one.selector?.toLowerCase() === selector.toLowerCase());
}

/** A node that has what is named. */
export interface StagedOn {
  readonly node: KnownNode;
  readonly copy: Omit<ReportedCopy, 'model_id' | 'quantizations'> & { readonly digest?: string | null };
  /** The copy that it is a part of. */
  readonly whole: ReportedCopy;
}

/** The nodes that reported a copy, by hostname. Pure. */
export const stagedOn = (nodes: readonly KnownNode[], named: Named): readonly StagedOn[] =>
  nodes
    .flatMap((node) => {
      const whole = node.copies?.find((one) => partOf(one, named) !== undefined);
      const copy = whole && partOf(whole, named);
      return whole === undefined || copy === undefined ? [] : [{ node, copy, whole }];
    })
    .toSorted((a, b) => a.node.hostname.localeCompare(b.node.hostname));

/** Whether a staged quantization has other content than the store's. One whose node does not say what it has is not. Pure. */
export const isOlderPart = (part: { readonly digest?: string | null } | undefined, stored: Pick<StoredQuantization, 'digest'>): boolean =>
  part?.digest != null && stored.digest !== null && part.digest !== stored.digest;

/** What is compared with the digests of copies. */
export interface StoredDigests extends Pick<ShownModel, 'digest'> {
  readonly quantizations?: readonly Pick<StoredQuantization, 'selector' | 'digest'>[];
}

/** What of a copy has other content than the store: the names of quantizations, or the whole model. Pure. */
export function olderParts(
  copy: Pick<ReportedCopy, 'model_id' | 'quantizations'> & { readonly digest?: string | null },
  model: StoredDigests,
): readonly string[] {
  const stored = model.quantizations ?? [];
  if (stored.length > 0) {
    const parts = stored.filter((one) =>
      copy.quantizations?.some((part) => part.selector?.toLowerCase() === one.selector.toLowerCase() && isOlderPart(part, one)),
    );
    return parts.map(({ selector }) => selector);
  }
  const isOther = copy.digest != null && model.digest !== null && copy.digest !== model.digest;
  return isOther ? [copy.model_id] : [];
}

/** Whether a copy has other content than the store of what is named. Pure. */
export const isOlder = (copy: Parameters<typeof olderParts>[0], { selector }: Named, model: StoredDigests): boolean =>
  olderParts(copy, model).some((part) => selector === undefined || part.toLowerCase() === selector.toLowerCase());
