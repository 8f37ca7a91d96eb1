import type { Endpoint, ProgramUse } from '../../catalog/programs/programs.ts';
import { listUses, usedSelector } from '../../catalog/programs/use-program.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { showModel } from '../models/show-model.ts';
import { findEndpoint } from './find-endpoint.ts';

/** How programs use a model, and where they find it. */
export interface ModelUses {
  readonly model_id: string;
  /** The quantization that the lines name; null without GGUF weights. */
  readonly selector: string | null;
  /** The server that programs ask; null when none runs. */
  readonly address: string | null;
  readonly programs: readonly ProgramUse[];
}

/**
 * What to type for each program to load a model of the store.
 * @throws SkulkError as `showModel`
 */
export async function showUses(deps: Deps, ref: ModelRef): Promise<ModelUses> {
  const model = await showModel(deps, ref);
  const endpoint = await endpointFor(deps);
  const used = {
    modelId: model.model_id,
    selector: ref.selector,
    files: model.files,
    tags: model.tags,
    baseModel: model.base_model,
  };
  return {
    model_id: model.model_id,
    selector: usedSelector(used) ?? null,
    address: endpoint.address ?? null,
    programs: listUses(used, endpoint),
  };
}

/** A store without a server can be staged from all the same. */
async function endpointFor(deps: Deps): Promise<Endpoint> {
  try {
    const { outsideAddress, problem, needsToken } = await findEndpoint(deps);
    return { address: outsideAddress, problem, needsToken };
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'STORE_NOT_CONFIGURED') throw error;
    return { address: undefined, needsToken: false };
  }
}
