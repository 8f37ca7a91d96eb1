import { GatedModel } from '../../catalog/gated-model.ts';
import { SkulkError, systemCode } from '../../kernel/errors.ts';
import { describeNetworkError, isUnresolved } from '../../kernel/explain-network-error.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { LoopDetected } from '../../protocol/via.ts';
import { type HubName, huggingFace } from './hub-name.ts';
import { mapUpstreamRefusal } from './map-upstream-refusal.ts';

/** What was requested from the Hub, for an error. */
export interface Asked {
  /** The model, or words for what was asked for instead of one. */
  readonly modelId: ModelId | 'a search';
  readonly revision: string;
  readonly path?: string | undefined;
  readonly hasToken: boolean;
  /** Hugging Face when it is absent. */
  readonly of?: HubName | undefined;
}

/** The parts of an unsuccessful answer. */
export interface HubRefusal {
  readonly status: number;
  readonly headers: Headers;
  /** Whether the Hub itself answered, and not the host that serves the bytes. */
  readonly isOwnHost: boolean;
  /** The origin that answered. */
  readonly origin: string;
}

/** Turns a refusal of the Hub into an error. Pure. Source: docs/hub.md, "Refusals". */
export function mapHubRefusal({ status, headers, isOwnHost, origin }: HubRefusal, asked: Asked): SkulkError {
  const { modelId, revision, path, hasToken, of = huggingFace } = asked;
  if (of.isStore && isOwnHost) {
    const refusal = mapUpstreamRefusal({ status, code: headers.get('x-error-code'), origin }, asked);
    if (refusal !== undefined) return refusal;
  }
  const says = clean(headers.get('x-error-message') ?? '');
  if (headers.get('x-error-code') === 'LoopDetected')
    return new LoopDetected('HUB_REFUSED', `HF_ENDPOINT (${origin}) leads back to this store`, {
      hint: 'set it to https://huggingface.co or a mirror on the store host',
    });
  if (status === 429) {
    const retryAfterMs = readRetryAfter(headers);
    const wait = retryAfterMs === undefined ? '' : `; retry after ${Math.ceil(retryAfterMs / 1000)} s`;
    return new SkulkError('HUB_BUSY', `${of.name} rate limit reached${wait}`, {
      hint: hasToken || of.isStore ? 'wait, then try again' : 'wait, then try again; a token (HF_TOKEN) raises the limit',
      retryAfterMs,
    });
  }
  // A store says why it cannot answer, and what to do there.
  if (of.isStore && isOwnHost && status >= 500 && says !== '')
    return new SkulkError('HUB_UNREACHABLE', `the upstream store (${origin}) answered ${status}: ${says}`, {
      hint: `correct it on that store host, or try again later; \`skulk health --store ${origin}\` shows its state`,
      retryAfterMs: readRetryAfter(headers),
    });
  if (status >= 500 || status === 408 || status === 425) {
    return new SkulkError('HUB_UNREACHABLE', `${origin} answered ${status}`, {
      hint: 'this is probably temporary; try again',
      retryAfterMs: readRetryAfter(headers),
    });
  }
  // The Hub's redirects are signed for a short time; the next request gets a new one.
  if (!isOwnHost) return new SkulkError('HUB_UNREACHABLE', `${origin} answered ${status} for bytes of ${modelId}`, { hint: 'try again' });
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo') {
    return new GatedModel(
      'HUB_REFUSED',
      hasToken
        ? `${modelId} is gated on Hugging Face, and the token's account has no access to it`
        : `${modelId} is gated on Hugging Face, and no token is set`,
      { hint: `request access on the page of ${modelId}${hasToken ? '' : ', then set HF_TOKEN or hf_token on the store host'}` },
    );
  }
  if (code === 'RevisionNotFound')
    return new SkulkError('REVISION_NOT_FOUND', `${modelId} has no revision ${quote(revision)} on Hugging Face`, {
      hint: 'use a branch, a tag or a commit of the repo',
    });
  if (code === 'EntryNotFound')
    return new SkulkError('FILE_NOT_FOUND', `${modelId} has no file ${quote(path ?? '')} at ${revision}`, {
      hint: 'check the page of the model',
    });
  if (status === 401 && hasToken && code !== 'RepoNotFound')
    return new SkulkError('HUB_REFUSED', `Hugging Face does not accept the token${says === '' ? '' : `: ${says}`}`, {
      hint: 'create a new one at https://huggingface.co/settings/tokens and set HF_TOKEN or hf_token on the store host',
    });
  if (status === 404 || status === 401)
    return new SkulkError(
      'MODEL_NOT_FOUND',
      hasToken
        ? `Hugging Face has no model ${modelId} that this token can access`
        : `Hugging Face has no public model ${modelId}; the name may be misspelt, or the model private`,
      { hint: hasToken ? 'check the name, and the rights of the token' : 'check the name; for a private model set HF_TOKEN or hf_token' },
    );
  return new SkulkError('HUB_REFUSED', `${of.name} answered ${status} for ${modelId}${says === '' ? '' : `: ${says}`}`, {
    hint: 'check the page of the model',
  });
}

/** Turns a network failure into an error with the host. Returns other values unchanged. */
export function mapHubNetworkError(error: unknown, origin: string, { isStore }: HubName = huggingFace): unknown {
  if (error instanceof SkulkError) return error;
  const code = systemCode(error);
  const why = clean(describeNetworkError(error));
  if (/CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code ?? ''))
    return new SkulkError('HUB_REFUSED', `the certificate of ${origin} is not trusted: ${why}`, {
      hint: 'if your network inspects TLS, set NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
      cause: error,
    });
  return new SkulkError('HUB_UNREACHABLE', `cannot reach ${origin}: ${why}`, {
    hint: isStore
      ? 'check that the store behind --upstream runs, and that the store host reaches it; what this store has stays usable'
      : `check the internet connection${isUnresolved(error) ? ' and the DNS settings' : ''} of the store host; HTTPS_PROXY and HF_ENDPOINT are respected`,
    cause: error,
  });
}

/** Whether a retry may help. */
export const isTransientHubError = (error: unknown): boolean =>
  error instanceof SkulkError && (error.code === 'HUB_UNREACHABLE' || error.code === 'HUB_BUSY');

/** `Retry-After` in seconds or as a date, or the `t` of a `RateLimit` header; in milliseconds. */
function readRetryAfter(headers: Headers): number | undefined {
  const after = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,6}$/.test(after)) return Number(after) * 1000;
  const at = Date.parse(after);
  if (Number.isFinite(at)) return Math.max(0, at - Date.now());
  const limit = /;\s*t=(\d{1,6})\b/.exec(headers.get('ratelimit') ?? '')?.[1];
  return limit === undefined ? undefined : Number(limit) * 1000;
}

const clean = (text: string): string => text.slice(0, 300).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
