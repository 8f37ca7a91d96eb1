import type { Card } from '../../catalog/card-table.ts';
import type { Companion } from '../../catalog/companions.ts';
import { readCard } from '../../catalog/read-card.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { copyPath, type StagingLayout, stagingLayout } from '../../staging/layout.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import type { NeededFile } from './needed-files.ts';
import type { PlannedModel, StagedModel } from './stage-report.ts';

/** The options of a stage. */
export interface StageOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly offline: boolean;
  /** Use Hugging Face if the store is unreachable. */
  readonly direct: boolean;
  /** The user's choice. */
  readonly connections: number | undefined;
  readonly limiter: RateLimiter;
  /** Take it from the store alone. */
  readonly noSwarm?: boolean;
  /** Which files to fetch from Hugging Face if the store lacks the model. */
  readonly wanted: WantedFiles;
  /** The files whose paths are needed. A model without one of them is rejected before it is transferred. */
  readonly needs?: readonly NeededFile[];
  /** The store's orders have just been carried out. */
  readonly caughtUp?: boolean;
  /** The other models of the same command. */
  readonly beside?: readonly ModelId[];
  /** The store disappeared during the transfer, so a second store may send the rest. */
  readonly isContinued?: boolean;
}

/** One stage of one model, shared by all its steps. */
export interface ModelStage {
  readonly deps: Deps;
  readonly ref: ModelRef;
  readonly options: StageOptions;
  /** The model's card on this machine, which has priority over the store's card. */
  readonly card: Card | undefined;
  readonly layout: StagingLayout;
  /** The path of the copy, also before it exists. */
  readonly path: string;
  /** When it began, by the monotonic clock, in milliseconds. */
  readonly began: number;
  /** For the Hub, and for copying ahead. */
  readonly connections: number;
}

/** The result for one model, and the companions in its card. */
export type StageOutcome = ({ readonly staged: StagedModel } | { readonly planned: PlannedModel }) & {
  readonly companions: readonly Companion[];
  readonly files: readonly KindFile[];
  /** The selected quantization. */
  readonly group: GroupFiles;
};

/** The models whose existing copies this command needs. With `--force`, it fetches all of them again. */
export const neededModels = (
  { modelId }: Pick<ModelRef, 'modelId'>,
  { force, beside = [] }: Pick<StageOptions, 'force' | 'beside'>,
): ReadonlySet<ModelId> => new Set(force ? [] : [modelId, ...beside]);

const usualConnections = 4;

/** Reads the model's card. Does nothing else yet. */
export async function beginStage(deps: Deps, ref: ModelRef, options: StageOptions): Promise<ModelStage> {
  const layout = stagingLayout(deps.config.settings.nodeCachePath.value);
  const path = copyPath(layout, ref.modelId);
  const began = performance.now();
  const card = await readOwnCard(deps, ref);
  return { deps, ref, options, card, layout, path, began, connections: options.connections ?? usualConnections };
}

async function readOwnCard({ config, world }: Deps, { modelId }: ModelRef): Promise<Card | undefined> {
  const directory = config.settings.cardsPath.value;
  if (directory === undefined) return undefined;
  return await readCard({ cardsPath: directory }, modelId, (message) => world.emit({ type: 'warning', message }));
}
