import { hasRevision } from '../../catalog/check-revision.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { ModelPart } from '../../staging/copy-record.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import { coversPart, selectPart } from './select-part.ts';

/** What a copy is to hold of a model. */
export interface WantedPart {
  /** Of the files that are to be there. */
  readonly manifest: Manifest;
  /** The digest of the whole model, as the store has it. */
  readonly whole: Sha256;
  /** Undefined when it is the whole model. */
  readonly part: ModelPart | undefined;
}

/** What a reference names of the model that the store has. @throws SkulkError FILE_NOT_FOUND */
export function selectWanted(ref: ModelRef, whole: Manifest): WantedPart {
  const manifest = selectPart(ref, whole);
  const isPart = ref.selector !== undefined && manifest.digest !== whole.digest;
  return { manifest, whole: whole.digest, part: isPart ? { selector: ref.selector, of: whole.digest } : undefined };
}

/** Whether a copy is undamaged and holds what a reference names, of whatever the store has by now. */
export const isUsable = (ref: ModelRef, copy: LocalCopy): boolean =>
  copy.changed.size === 0 && hasRevision(ref, copy.manifest) && coversPart(ref, copy);

/** Whether a copy is undamaged and what the store has of what a reference names. */
export const isCurrent = (ref: ModelRef, copy: LocalCopy, whole: Manifest): boolean =>
  copy.changed.size === 0 && coversPart(ref, copy) && (copy.part?.of ?? copy.manifest.digest) === whole.digest;
