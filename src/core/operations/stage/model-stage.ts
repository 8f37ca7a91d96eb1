import type { Card } from '../../catalog/card.ts';
import type { Companion } from '../../catalog/companions.ts';
import { readCard } from '../../catalog/read-card.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { copyPath, type StagingLayout, stagingLayout } from '../../staging/layout.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import type { NeededFile } from './needed-files.ts';
import type { PlannedModel, StagedModel } from './stage-report.ts';

/** How a model is to be staged. */
export interface StageOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly offline: boolean;
  /** Go to Hugging Face when the store cannot be reached. */
  readonly direct: boolean;
  /** What a person asked for. */
  readonly connections: number | undefined;
  readonly limiter: RateLimiter;
  /** Which files are fetched from Hugging Face of a model that the store lacks. */
  readonly wanted: WantedFiles;
  /** The files that somebody needs a path of: a model that lacks one is refused before it is sent. */
  readonly needs?: readonly NeededFile[];
  /** The orders of the store have just been carried out. */
  readonly caughtUp?: boolean;
}

/** One stage of one model, as all its steps see it. */
export interface ModelStage {
  readonly deps: Deps;
  readonly ref: ModelRef;
  readonly options: StageOptions;
  /** The model's card on this machine, which wins over what the store knows. */
  readonly card: Card | undefined;
  readonly layout: StagingLayout;
  /** Where the copy is, or will be. */
  readonly path: string;
  /** By the monotonic clock, in milliseconds. */
  readonly began: number;
  /** At the Hub, and for what is taken ahead. */
  readonly connections: number;
}

/** What became of one model, and what its card names beside it. */
export type StageOutcome = ({ readonly staged: StagedModel } | { readonly planned: PlannedModel }) & {
  readonly companions: readonly Companion[];
  readonly files: readonly KindFile[];
  /** The quantization that was chosen. */
  readonly group: GroupFiles;
};

const usualConnections = 4;

/** Reads the model's card and does nothing yet. */
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
  return await readCard([directory], modelId, (message) => world.emit({ type: 'warning', message }));
}
