import { GatedModel } from '../../catalog/gated-model.ts';
import { isDiskFull, SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { LoopDetected } from '../../protocol/via.ts';
import { HubRefusal, type HubRefusalKind } from '../contract.ts';

const kinds: Partial<Record<SkulkError['code'], HubRefusalKind>> = {
  MODEL_NOT_FOUND: 'repoNotFound',
  BAD_MODEL_ID: 'repoNotFound',
  REVISION_NOT_FOUND: 'revisionNotFound',
  HUB_UNREACHABLE: 'unreachable',
  HUB_OFFLINE: 'unreachable',
  HUB_REFUSED: 'unreachable',
  INTEGRITY: 'unreachable',
  HUB_BUSY: 'busy',
  STORE_BUSY: 'busy',
  LOCKED: 'busy',
  NO_SPACE: 'noRoom',
};

/** Maps a failure of upstream, of the disk or of a download to a Hub's refusal. Returns unexpected errors unchanged. Pure. */
export function toHubRefusal(error: unknown, modelId: ModelId): unknown {
  if (error instanceof HubRefusal) return error;
  if (isDiskFull(error)) return new HubRefusal('noRoom', `the disk of the store has no space for ${modelId}`, { cause: error });
  if (!(error instanceof SkulkError)) return error;
  if (error instanceof GatedModel) return gatedRefusal(modelId, error);
  const kind = error instanceof LoopDetected ? 'loop' : kinds[error.code];
  if (kind === undefined) return error;
  return new HubRefusal(kind, error.hint === undefined ? error.message : `${error.message} (${error.hint})`, { cause: error });
}

/** A gated or private repo is only fetched on an explicit command on the store. */
export const gatedRefusal = (modelId: ModelId, cause?: unknown): HubRefusal =>
  new HubRefusal(
    'gated',
    `${modelId} is gated or private on Hugging Face, so the store does not fetch it automatically: run "skulk download ${modelId}" on the store host, with a token that has access`,
    { cause },
  );
