import { clearedDownloads, downloadBody, downloadList, downloadStatus } from '../downloads.ts';
import { activityView, auditList, storeEvents } from '../events.ts';
import { deleted, forgotten, givenOrder, nodeList, orderList, purgeBody, purged, stageOnBody } from '../fleet.ts';
import { healthView } from '../health.ts';
import { openAiModels, registryList } from '../models/entries.ts';
import { foundModels } from '../models/found-models.ts';
import { hubOffer } from '../models/hub-offer.ts';
import { shownModel } from '../models/shown-model.ts';
import { verifyReport } from '../models/verify-report.ts';
import { optimizationList, optimizationPlan, optimizationStatus, optimizeBody } from '../optimizations.ts';
import { swarmList } from '../staging.ts';
import { listedUpload, uploadList } from '../uploads.ts';
import { verifyBody, workLine } from '../work.ts';
import { events, lines, type Routes } from './route.ts';

const ofDownloads = [400, 404, 409] as const;
const ofOptimizations = [400, 404, 409, 503, 507] as const;
const ofModels = [400, 404, 503] as const;

/** The routes about the store on both ports of a store host, and on each node's API, which forwards them. */
export const storeRoutes = {
  'GET /store/health': { role: 'read', summary: 'State of the store', answers: { 200: healthView }, failures: [503] },
  'GET /store/registry': { role: 'read', summary: 'The models of the store, with tags', answers: { 200: registryList }, failures: [503] },
  'GET /v1/models': {
    role: 'read',
    summary: 'The models of the store, in the format of OpenAI',
    answers: { 200: openAiModels },
    failures: [503],
  },
  'DELETE /store/models/:id': {
    role: 'node',
    summary: 'Remove a model and every staged copy of it',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [404, 409, 503],
  },
  'DELETE /store/models/:id/quantizations/:selector': {
    role: 'node',
    summary: 'Remove one quantization of a model and every staged copy of it; removing the last one removes the model',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [400, 404, 409, 503],
  },
  'GET /store/models/:id': {
    role: 'read',
    summary: 'One model: files, digests, tags, companions, staged copies',
    answers: { 200: shownModel },
    failures: ofModels,
  },
  // These make this machine contact Hugging Face, so pages of other sites must not use them.
  'GET /store/hub': {
    role: 'node',
    summary: 'Models on Hugging Face whose names contain a text, most downloads first',
    query: ['search', 'limit'],
    answers: { 200: foundModels },
    failures: [400, 503],
    ownPagesOnly: true,
  },
  'GET /store/hub/:id': {
    role: 'node',
    summary: 'What a download from Hugging Face would fetch, with the GGUF quantizations to choose from',
    query: ['revision', 'wanted', 'kept'],
    answers: { 200: hubOffer },
    failures: ofModels,
    ownPagesOnly: true,
  },
  'POST /store/verify': {
    role: 'node',
    summary: 'Verify models against their checksums',
    body: verifyBody,
    isBodyOptional: true,
    answers: { 200: lines(workLine(verifyReport)) },
    failures: ofModels,
  },
  'GET /store/events': {
    role: 'read',
    summary: 'Server-Sent Events of the store',
    answers: { 200: events(storeEvents) },
    failures: [503],
    isEndless: true,
    ownPagesOnly: true,
  },
  'GET /store/uploads': {
    role: 'read',
    summary: 'The unfinished uploads: sender, model, progress, start',
    answers: { 200: uploadList },
    failures: [503],
  },
  'DELETE /store/uploads/:upload': {
    role: 'node',
    summary: 'Cancel an unfinished upload, by the id of its sender or by the id in the list',
    query: ['of'],
    answers: { 200: listedUpload },
    failures: [403, 404, 409, 503],
  },
  'GET /store/downloads': {
    role: 'read',
    summary: 'The running and waiting downloads',
    query: ['recent'],
    answers: { 200: downloadList },
    failures: [503],
  },
  'DELETE /store/downloads': {
    role: 'node',
    summary: 'Remove ended downloads from the list; downloaded data is kept',
    query: ['model_id', 'download_id'],
    answers: { 200: clearedDownloads },
    failures: [400, 503],
  },
  'POST /store/models/:id/download': {
    role: 'node',
    summary: 'Fetch a model from Hugging Face',
    body: downloadBody,
    isBodyOptional: true,
    answers: { 200: downloadStatus },
    failures: ofDownloads,
  },
  'GET /store/models/:id/download/status': {
    role: 'read',
    summary: 'State of a download; of several, the running one, else the next, else the last',
    query: ['download_id'],
    answers: { 200: downloadStatus },
    failures: ofDownloads,
  },
  'DELETE /store/models/:id/download': {
    role: 'node',
    summary: 'Stop a download, or all downloads of a model; downloaded data is kept',
    query: ['download_id'],
    answers: { 200: downloadStatus },
    failures: ofDownloads,
  },
  'GET /store/swarm': {
    role: 'read',
    summary: 'The models that nodes share now, and those that they shared last',
    answers: { 200: swarmList },
    failures: [503],
  },
  'GET /store/optimizations': {
    role: 'read',
    summary: 'Running and waiting optimizations',
    query: ['recent'],
    answers: { 200: optimizationList },
    failures: [503],
  },
  'POST /store/models/:id/optimize': {
    role: 'node',
    summary: 'Quantize a model in the store; the result is a new model',
    body: optimizeBody,
    isBodyOptional: true,
    answers: { 200: optimizationStatus },
    failures: ofOptimizations,
  },
  // It starts programs on the store host.
  'POST /store/models/:id/optimize/plan': {
    role: 'node',
    summary: 'What an optimization would make: engine, type and size',
    body: optimizeBody,
    isBodyOptional: true,
    answers: { 200: optimizationPlan },
    failures: ofOptimizations,
  },
  'GET /store/models/:id/optimize/status': {
    role: 'read',
    summary: 'The state of the newest optimization with this source or result',
    answers: { 200: optimizationStatus },
    failures: [400, 404, 503],
  },
  'DELETE /store/models/:id/optimize': {
    role: 'node',
    summary: 'Stop an optimization; partial results are removed',
    answers: { 200: optimizationStatus },
    failures: [400, 404, 409, 503],
  },
  'POST /store/purge-staging': {
    role: 'node',
    summary: 'Remove staged copies on every node, or on the given nodes; canonical copies stay',
    query: ['wait_ms'],
    body: purgeBody,
    isBodyOptional: true,
    answers: { 200: purged },
    failures: [400, 404, 503],
  },
  'POST /store/models/:id/stage': {
    role: 'node',
    summary: 'Order nodes to stage a model: the given nodes, or every node except the store host',
    body: stageOnBody,
    isBodyOptional: true,
    answers: { 200: givenOrder },
    failures: [400, 404, 503],
  },
  'GET /store/orders/:order': {
    role: 'read',
    summary: 'The status of an order',
    query: ['wait_ms'],
    answers: { 200: givenOrder },
    failures: [400, 404, 503],
  },
  'DELETE /store/orders/:order': {
    role: 'node',
    summary: 'Withdraw an order to stage; nodes that carry it out stop, and finished copies stay',
    answers: { 200: givenOrder },
    failures: [400, 404, 409, 503],
  },
  'GET /store/orders': {
    role: 'read',
    summary: 'The orders that are pending on some node',
    answers: { 200: orderList },
    failures: [503],
  },
  'DELETE /store/nodes/:node': {
    role: 'admin',
    summary: 'Forget a node and its orders',
    answers: { 200: forgotten },
    failures: [400, 404, 503],
  },
  'GET /store/activity': {
    role: 'read',
    summary: 'The latest changes, and transfer rates since the server started',
    answers: { 200: activityView },
    failures: [503],
  },
  'GET /store/audit': {
    role: 'read',
    summary: 'The log of changes, newest first; names of others only for the role admin',
    query: ['since', 'failed', 'kind', 'who', 'limit'],
    answers: { 200: auditList },
    failures: [400, 503],
  },
  'GET /store/nodes': { role: 'read', summary: 'Every known node', answers: { 200: nodeList }, failures: [503] },
} as const satisfies Routes;
