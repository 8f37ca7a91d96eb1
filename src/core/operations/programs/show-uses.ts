import type { Endpoint, ProgramUse } from '../../catalog/programs/programs.ts';
import { listUses, usedSelector } from '../../catalog/programs/use-program.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { showModel } from '../models/show-model.ts';
import { findEndpoint } from './find-endpoint.ts';

/** How programs use a model, and their server. */
export interface ModelUses {
  readonly model_id: string;
  /** The quantization in the examples; null without GGUF weights. */
  readonly selector: string | null;
  /** The server for programs; null if none is running. */
  readonly address: string | null;
  readonly programs: readonly ProgramUse[];
}

/**
 * Lists the command for each program to load a model of the store.
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

/** Models can be staged from a store without a server too. */
async function endpointFor(deps: Deps): Promise<Endpoint> {
  try {
    const { outsideAddress, problem, needsToken } = await findEndpoint(deps);
    return { address: outsideAddress, problem, needsToken };
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'STORE_NOT_CONFIGURED') throw error;
    return { address: undefined, needsToken: false };
  }
}
