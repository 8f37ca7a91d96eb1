import { parseWantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { AskOffer } from '../../client/offer-client.ts';
import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import { describeHolders } from '../../protocol/holder.ts';
import type { DownloadPlan, HubOffer } from '../../protocol/models/hub-offer.ts';
import type { ShownModel } from '../../protocol/models/shown-model.ts';
import type { VerifyReport } from '../../protocol/models/verify-report.ts';
import type { OptimizationPlan, OptimizationStatus } from '../../protocol/optimizations.ts';
import type { ListedUpload } from '../../protocol/uploads.ts';
import { deleteModels } from '../models/delete-models.ts';
import { cancelDownload, clearDownload, download } from '../models/downloads.ts';
import { cancelOptimization, optimize, planOptimization } from '../models/optimize.ts';
import { showModel } from '../models/show-model.ts';
import { cancelUpload, listUploads } from '../models/uploads.ts';
import { verifyModels } from '../models/verify-models.ts';
import { forgetNode, listSwarms, type Swarm } from '../nodes/nodes.ts';
import { purgeEverywhere } from '../nodes/purge-everywhere.ts';
import { purgeStaging } from '../nodes/purge-staging.ts';
import { orderStage, withdrawStages } from '../nodes/stage-everywhere.ts';
import type { StagingJobs } from '../stage/staging-jobs.ts';
import { type ListedAudit, listAudit } from '../store/list-audit.ts';

/** The result of a removal on one machine; `kept`: it is in use there. */
export interface RemovalOutcome {
  /** Null means this machine. */
  readonly node: NodeId | null;
  readonly hostname: string;
  readonly status: 'done' | 'deferred' | 'pending' | 'failed' | 'kept';
  readonly freed_bytes: number;
  readonly reason: string | null;
}

/** The result of a removal; sizes in bytes. */
export interface Removal {
  readonly freed_bytes: number;
  readonly nodes: readonly RemovalOutcome[];
}

/** Which staged copies to remove. */
export interface PurgeRequest {
  /** Null means every model. */
  readonly modelId: ModelId | null;
  /** Only this quantization of the model. */
  readonly selector?: string;
  readonly on: 'here' | 'everywhere' | { readonly nodeId: NodeId };
  /** Also copies in use. */
  readonly force: boolean;
}

/** The actions of the dashboard. Each rejects with the same SkulkError as the command of its name. */
export interface DashboardActs {
  show(modelId: ModelId): Promise<ShownModel>;
  /** @param ref without a selector, the whole model is deleted */
  delete(ref: ModelRef, options: { readonly force: boolean }): Promise<Removal>;
  purge(request: PurgeRequest): Promise<Removal>;
  /**
   * What a download would fetch; undefined if the store cannot plan downloads. An unknown selector is FILE_NOT_FOUND with the existing
   * ones.
   */
  offer(ref: ModelRef): Promise<HubOffer | undefined>;
  /** The files that a download would take and leave, with reasons; undefined if the store cannot plan downloads. */
  plan(ref: ModelRef, ggufFile: string | undefined): Promise<DownloadPlan | undefined>;
  /** Returns when the store has accepted the download. @param ggufFile the choice if there are several quantizations */
  download(ref: ModelRef, ggufFile: string | undefined): Promise<void>;
  /** Repeats the same request. */
  downloadAgain(download: DownloadStatus): Promise<void>;
  cancelDownload(download: DownloadStatus): Promise<void>;
  /** Removes an ended download from the list. @returns 0 if it has not ended */
  clearDownload(download: DownloadStatus): Promise<number>;
  /** The variant that the store's engine would make, with at most this many bits per weight. */
  planOptimization(ref: ModelRef, targetBpw: number): Promise<OptimizationPlan>;
  /** Returns when the store has accepted the work, or has the result. */
  optimize(ref: ModelRef, targetBpw: number): Promise<OptimizationStatus>;
  /** Repeats the same request. */
  optimizeAgain(optimization: OptimizationStatus): Promise<void>;
  cancelOptimization(targetId: ModelId): Promise<void>;
  /** Starts to stage on this machine; the view shows the progress. */
  stage(ref: ModelRef): Promise<void>;
  /** Whether a staging started here is running; it ends with the dashboard. */
  isStaging(): boolean;
  cancelStage(modelId: ModelId): Promise<void>;
  /** Orders other machines to stage; returns when the store has the order. */
  stageOn(ref: ModelRef, nodes: readonly NodeId[]): Promise<void>;
  /** Withdraws every order to stage the model, or one quantization of it. */
  cancelOrders(ref: ModelRef): Promise<void>;
  /** Hashes the canonical copy again. A second call for the same model joins the first. */
  verify(modelId: ModelId): Promise<VerifyReport>;
  /** Removes a machine and its pending orders from the store's list. */
  forget(nodeId: NodeId): Promise<void>;
  /** The models that nodes share now. */
  swarms(): Promise<readonly Swarm[]>;
  /** The unfinished uploads of the store. */
  uploads(): Promise<readonly ListedUpload[]>;
  /** Removes the received data of an upload. @returns the number of its bytes */
  cancelUpload(id: string): Promise<number>;
  /** The last changes of the store, newest first, at most so many. */
  audit(limit: number): Promise<ListedAudit>;
}

/** Maps the keys of the dashboard to the operations of the commands. */
export function createActs(deps: Deps, jobs: StagingJobs): DashboardActs {
  // Requests that are in no list yet: the key to quit may come right after the key to stage.
  let asked = 0;
  const verifying = new Map<ModelId, Promise<VerifyReport>>();
  return {
    show: (modelId) => showModel(deps, { modelId }),
    delete: async (ref, { force }) => {
      const { freed_bytes, nodes } = await deleteModels(deps, { refs: [ref], force });
      return { freed_bytes, nodes };
    },
    purge: (request) => purge(deps, request),
    offer: ({ modelId, revision, selector }) =>
      askOffer(deps, { modelId, revision, ...(selector !== undefined && { wanted: { selector } }) }),
    plan: async ({ modelId, revision }, ggufFile) => {
      const wanted = ggufFile === undefined ? {} : { ggufFile, exact: true };
      return (await askOffer(deps, { modelId, revision, wanted }))?.plan;
    },
    download: async ({ modelId, revision, selector }, ggufFile) => {
      await requireServer(deps, 'download');
      await download(deps, {
        request: { modelId, revision, ...(ggufFile === undefined ? { selector } : { ggufFile }), exact: true },
        wait: false,
      });
    },
    downloadAgain: async ({ modelId, request: { revision, ...wanted } }) => {
      await requireServer(deps, 'download');
      await download(deps, { request: { modelId, revision: revision ?? undefined, ...parseWantedFiles(wanted) }, wait: false });
    },
    cancelDownload: async ({ modelId, download_id: downloadId }) => void (await cancelDownload(deps, { modelId, downloadId })),
    clearDownload: async ({ modelId, download_id: downloadId }) => (await clearDownload(deps, { modelId, downloadId })).cleared,
    planOptimization: ({ modelId, selector }, targetBpw) => planOptimization(deps, { modelId, selector, targetBpw }),
    optimize: async ({ modelId, selector }, targetBpw) => {
      await requireServer(deps, 'optimization');
      return optimize(deps, { wishes: { modelId, selector, targetBpw }, wait: false, join: true });
    },
    optimizeAgain: async ({ modelId, targetId, selector, engine, type, targetBpw }) => {
      await requireServer(deps, 'optimization');
      const wanted = targetBpw === null ? { type } : { targetBpw };
      const wishes = { modelId, targetId, engine, ...(selector !== null && { selector }), ...wanted };
      await optimize(deps, { wishes, wait: false, join: true });
    },
    cancelOptimization: async (modelId) => void (await cancelOptimization(deps, { modelId })),
    stage: async (ref) => {
      asked += 1;
      try {
        await jobs.ask(ref);
      } finally {
        asked -= 1;
      }
    },
    isStaging: () => asked > 0 || jobs.list().some(({ status }) => status === 'pending' || status === 'staging'),
    cancelStage: async (modelId) => void (await jobs.cancel(modelId)),
    stageOn: async (ref, nodes) => void (await orderStage(deps, { refs: [ref], nodes })),
    cancelOrders: async (ref) => void (await withdrawStages(deps, ref)),
    verify: (modelId) => {
      const running = verifying.get(modelId);
      if (running !== undefined) return running;
      const begun = verifyModels(deps, { refs: [{ modelId }], staging: false, repair: false }).finally(() => verifying.delete(modelId));
      verifying.set(modelId, begun);
      return begun;
    },
    forget: async (nodeId) => void (await forgetNode(deps, { name: nodeId })),
    swarms: () => listSwarms(deps),
    uploads: async () => (await listUploads(deps)).uploads,
    cancelUpload: async (id) => (await cancelUpload(deps, { id })).bytes_done,
    audit: (limit) => listAudit(deps, { limit }),
  };
}

async function askOffer(deps: Deps, asked: Parameters<AskOffer>[0]): Promise<HubOffer | undefined> {
  await using opened = await openStore(deps);
  // The Python program's store treats unknown paths differently.
  if (opened.offer === undefined || (await isPythonHost(opened))) return undefined;
  return await opened.offer({ ...asked, mayBeKept: true }, deps.world.signal);
}

async function purge(deps: Deps, { modelId, selector, on, force }: PurgeRequest): Promise<Removal> {
  const refs: readonly ModelRef[] = modelId === null ? [] : [{ modelId, ...(selector !== undefined && { selector }) }];
  if (on !== 'here') {
    const nodes = on === 'everywhere' ? undefined : [on.nodeId];
    const { freed_bytes, nodes: outcomes } = await purgeEverywhere(deps, { refs, force, nodes });
    return { freed_bytes, nodes: outcomes };
  }
  const report = await purgeStaging(deps, { refs, dryRun: false, force });
  const own = { node: null, hostname: deps.world.hostname };
  return {
    freed_bytes: report.evicted_bytes,
    nodes: [
      ...(report.evicted.length > 0 ? [{ ...own, status: 'done' as const, freed_bytes: report.evicted_bytes, reason: null }] : []),
      ...report.kept_in_use.map(({ model_id, holders }) => ({
        ...own,
        status: 'kept' as const,
        freed_bytes: 0,
        reason: `${model_id} is in use by ${describeHolders(holders)}`,
      })),
      ...report.failed.map(({ message }) => ({ ...own, status: 'failed' as const, freed_bytes: 0, reason: message })),
    ],
  };
}

/** Work started by this process would end with it. */
async function requireServer(deps: Deps, what: 'download' | 'optimization'): Promise<void> {
  await using opened = await openStore(deps);
  if (opened.url !== undefined) return;
  throw new SkulkError('CONFLICT', `no server is running on this store host, so the ${what} cannot continue`, {
    hint: 'start `skulk serve`',
  });
}
