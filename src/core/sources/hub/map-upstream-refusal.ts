import { GatedModel } from '../../catalog/gated-model.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { LoopDetected } from '../../protocol/via.ts';
import type { Asked } from './map-failure.ts';

/** The part of an answer that decides; see docs/hub-endpoint.md, "Refusals". */
interface Refused {
  readonly status: number;
  readonly code: string | null;
  readonly origin: string;
}

/** Turns a refusal of an upstream store into an error; undefined when it is like one of Hugging Face. Pure. */
export function mapUpstreamRefusal(
  { status, code, origin }: Refused,
  { modelId, revision, path, hasToken }: Asked,
): SkulkError | undefined {
  const store = `the upstream store (${origin})`;
  if (code === 'LoopDetected')
    return new LoopDetected('HUB_REFUSED', `--upstream (${origin}) leads back to this store`, {
      hint: 'name another store with --upstream',
    });
  if (code === 'GatedRepo')
    return new GatedModel('HUB_REFUSED', `${modelId} is gated or private, so ${store} does not download it automatically`, {
      hint: `run \`skulk download ${modelId}\` on that store host, with a Hugging Face token that has access`,
    });
  if (status === 429 || status === 408 || status === 425 || status >= 500) return undefined;
  if (code === 'RevisionNotFound')
    return new SkulkError('REVISION_NOT_FOUND', `${store} has no revision ${quote(revision)} of ${modelId}`, {
      hint: `list its models: skulk registry --store ${origin}`,
    });
  if (code === 'EntryNotFound')
    return new SkulkError('FILE_NOT_FOUND', `${store} has no file ${quote(path ?? '')} of ${modelId} at ${revision}`, {
      hint: `list its files: skulk show ${modelId} --store ${origin}`,
    });
  if (status === 404)
    return new SkulkError('MODEL_NOT_FOUND', `${store} has no model ${modelId}, and cannot download it`, {
      hint: `check the name, or list its models: skulk registry --store ${origin}`,
    });
  if (status === 401 || status === 403)
    return new SkulkError('HUB_REFUSED', hasToken ? `${store} does not accept SKULK_UPSTREAM_TOKEN` : `${store} requires a token`, {
      hint: 'create one there with `skulk token create NAME --role node`, and set SKULK_UPSTREAM_TOKEN for this server',
    });
  return undefined;
}
