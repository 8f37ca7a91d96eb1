export type { DownloadStatus } from './core/protocol/downloads.ts';
export type { RegistryList } from './core/protocol/models/entries.ts';
export type { ShownModel } from './core/protocol/models/shown-model.ts';
export type { VerifiedModel, VerifyReport } from './core/protocol/models/verify-report.ts';
export type { StagingList } from './core/protocol/staging.ts';

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { homeOfUser, nameOfUser, ownVersion, workingDirectory } from './core/kernel/process/own-process.ts';
import type { World } from './core/kernel/world.ts';
import type { OpenOptions, Skulk } from './library/contract.ts';
import { open } from './library/open.ts';

export { type ErrorCode, SkulkError } from './core/kernel/errors.ts';
export type { ProgressEvent, SkulkEvent } from './core/kernel/flow/events.ts';
export type { AddReport } from './core/operations/models/add/add-report.ts';
export type { DeletionReport } from './core/operations/models/delete-models.ts';
export type { FinishedDownload } from './core/operations/models/downloads.ts';
export type { DeletionPlan } from './core/operations/models/plan-deletion.ts';
export type { PurgedEverywhere } from './core/operations/nodes/purge-everywhere.ts';
export type { PurgeReport } from './core/operations/nodes/purge-staging.ts';
export type { PlannedModel, StagedModel, StagePlanReport, StageReport } from './core/operations/stage/stage-report.ts';
export type { Health } from './core/operations/store/check-health.ts';

export type {
  AddOptions,
  CallOptions,
  DeleteOptions,
  DownloadOptions,
  DryRun,
  FileOptions,
  OpenOptions,
  PurgeNodesOptions,
  PurgeOptions,
  RunOptions,
  Skulk,
  StageOptions,
  VerifyOptions,
} from './library/contract.ts';

/**
 * skulk as a library (docs/library.md). It prints nothing, does not end the process and handles no signals; several instances work side
 * by side.
 * @throws SkulkError CONFIG for an unusable configuration
 */
export async function openSkulk(options: OpenOptions = {}): Promise<Skulk> {
  const cwd = resolve(workingDirectory(), options.cwd ?? '');
  // The only place that reads the process's environment for a program, and only if the caller passes none.
  const env: World['env'] = {
    ...(options.env ?? process.env),
    ...(options.home !== undefined && { SKULK_HOME: resolve(cwd, options.home) }),
  };
  const { platform } = process;
  return open(
    { env, cwd, platform, hostname: hostname(), homeDirectory: homeOfUser(env['HOME']), user: nameOfUser, version: ownVersion() },
    options,
  );
}
