import { arrivedChunks, clearedDownloads, downloadBody, downloadStatus } from '../downloads.ts';
import { evictionsBody } from '../events.ts';
import {
  acknowledged,
  deleted,
  forgotten,
  givenOrder,
  knownNode,
  orderBody,
  orderLine,
  orderOutcome,
  orderProgress,
  ordersToDo,
  orderWanted,
  reportBody,
} from '../fleet.ts';
import { storeHealth } from '../health.ts';
import { hashing, manifest } from '../manifest.ts';
import { adopted, foundPlace } from '../models/adoption.ts';
import { describedEntry } from '../models/entries.ts';
import { verifyReport } from '../models/verify-report.ts';
import { list, modelId, relativePath } from '../schema.ts';
import { swarmAnswer, swarmBody } from '../staging.ts';
import { announcement, listedUpload, uploadList } from '../uploads.ts';
import { adoptBody, placeBody, verifyBody, workLine } from '../work.ts';
import { bytes, lines, type Routes } from './route.ts';

const ofUploads = [400, 404, 409, 503, 507] as const;
const ofWork = [400, 403, 404, 409] as const;

/** The file server of a store host (port 58080), which serves the models to other machines. */
export const fileServerRoutes = {
  'GET /health': { role: 'open', summary: 'State of the store', answers: { 200: storeHealth } },
  'GET /registry': { role: 'read', summary: 'Every model in the store', answers: { 200: list(describedEntry) } },
  'GET /models': { role: 'read', summary: 'The ids of the models', answers: { 200: list(modelId()) } },
  'GET /downloads': {
    role: 'read',
    summary: 'The running and waiting downloads',
    query: ['recent'],
    answers: { 200: list(downloadStatus) },
  },
  'DELETE /downloads': {
    role: 'node',
    summary: 'Remove ended downloads from the list; downloaded data is kept',
    query: ['model_id', 'download_id'],
    answers: { 200: clearedDownloads },
    failures: [400],
  },
  'POST /models/:id/download': {
    role: 'node',
    summary: 'Fetch a model from Hugging Face',
    body: downloadBody,
    isBodyOptional: true,
    answers: { 200: downloadStatus },
    failures: [400, 404, 409],
  },
  'DELETE /models/:id/download': {
    role: 'node',
    summary: 'Stop a download, or all downloads of a model; downloaded data is kept',
    query: ['download_id'],
    answers: { 200: downloadStatus },
    failures: [400, 404, 409],
  },
  'GET /downloads/:id/chunks': {
    role: 'read',
    summary: 'The finished chunks of a running download, starting at a number',
    query: ['from', 'download_id'],
    answers: { 200: arrivedChunks },
  },
  'GET /downloads/:id/chunks/:run/:number': {
    role: 'read',
    summary: 'The bytes of one of those chunks',
    answers: { 200: bytes('The chunk; the `ETag` is its sha256') },
    failures: [404],
  },
  'GET /models/:id/files': {
    role: 'read',
    summary: "The paths of a model's files",
    answers: { 200: list(relativePath()) },
    failures: [400, 404],
  },
  'GET /models/:id/manifest': {
    role: 'read',
    summary: "A model's manifest",
    answers: { 200: manifest, 202: hashing },
    failures: [400, 404],
  },
  'GET /models/:id/download/status': {
    role: 'read',
    summary: 'State of a download; of several, the running one, else the next, else the last',
    query: ['download_id'],
    answers: { 200: downloadStatus },
    failures: [400, 404],
  },
  'DELETE /models/:id': {
    role: 'node',
    summary: 'Remove a model and every staged copy of it',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [400, 404],
  },
  'DELETE /models/:id/quantizations/:selector': {
    role: 'node',
    summary: 'Remove one quantization of a model and every staged copy of it; removing the last one removes the model',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [400, 404, 409],
  },
  'GET /models/:id/*': {
    role: 'read',
    summary: "The bytes of a model's file; ranges and conditions as in RFC 9110",
    answers: { 200: bytes('The file; the `ETag` is its sha256'), 206: bytes('A range of it') },
    failures: [400, 404, 412, 416],
  },
  'GET /nodes': { role: 'read', summary: 'Every known node', answers: { 200: list(knownNode) } },
  'POST /nodes/:node': {
    role: 'node',
    summary: 'A node reports its state and gets its orders',
    body: reportBody,
    answers: { 200: ordersToDo },
    failures: [400, 404],
  },
  'POST /nodes/:node/evictions': {
    role: 'node',
    summary: 'A node reports the copies that it evicted; each becomes an entry in the log of changes',
    body: evictionsBody,
    answers: { 200: acknowledged },
    failures: [400],
  },
  'DELETE /nodes/:node': { role: 'admin', summary: 'Forget a node and its orders', answers: { 200: forgotten }, failures: [400, 404] },
  'GET /nodes/:node/orders': {
    role: 'node',
    summary: 'The orders of a node, as a stream',
    query: ['knows'],
    answers: { 200: lines(orderLine) },
    failures: [400, 404],
    isEndless: true,
  },
  'POST /nodes/:node/orders/:order': {
    role: 'node',
    summary: 'A node reports the result of an order',
    body: orderOutcome,
    answers: { 200: acknowledged },
    failures: [400, 404],
  },
  'POST /nodes/:node/orders/:order/progress': {
    role: 'node',
    summary: 'A node reports its progress with an order to stage',
    body: orderProgress,
    answers: { 200: orderWanted },
    failures: [400, 404],
  },
  'POST /orders': {
    role: 'node',
    summary: 'Create an order for every node, or for the given nodes',
    body: orderBody,
    answers: { 200: givenOrder },
    failures: [400, 404],
  },
  'GET /orders': { role: 'read', summary: 'The orders that are pending on some node', answers: { 200: list(givenOrder) } },
  'GET /orders/:order': {
    role: 'read',
    summary: 'The status of an order',
    query: ['wait_ms'],
    answers: { 200: givenOrder },
    failures: [400, 404],
  },
  'DELETE /orders/:order': {
    role: 'node',
    summary: 'Withdraw an order to stage; nodes that carry it out stop, and finished copies stay',
    answers: { 200: givenOrder },
    failures: [400, 404, 409],
  },
  'GET /uploads': {
    role: 'read',
    summary: 'The unfinished uploads: sender, model, progress, start',
    answers: { 200: uploadList },
    failures: [503],
  },
  'DELETE /uploads/:upload': {
    role: 'node',
    summary: 'Cancel an unfinished upload, by the id of its sender or by the id in the list',
    query: ['of'],
    answers: { 200: listedUpload },
    failures: [403, 404, 409, 503],
  },
  'PUT /uploads/:id': {
    role: 'node',
    summary: 'Announce a model by its manifest; the answer lists the missing pieces and the id of the upload',
    query: ['replace'],
    answers: { 200: announcement },
    failures: ofUploads,
  },
  'PUT /uploads/:id/:digest/:file/:start': {
    role: 'node',
    summary: 'One piece, as bytes; accepted if it matches the manifest',
    query: ['upload'],
    answers: {},
    failures: ofUploads,
  },
  'POST /uploads/:id/:digest/complete': {
    role: 'node',
    summary: 'Create the model from the uploaded pieces',
    query: ['replace', 'revision', 'upload'],
    answers: { 200: lines(workLine(adopted)) },
    failures: ofUploads,
  },
  'POST /models/:id/swarm': {
    role: 'node',
    summary: 'A node that stages a model asks whether to share it with other nodes',
    body: swarmBody,
    answers: { 200: swarmAnswer },
    failures: [400, 404],
  },
  'GET /swarm/announce': {
    role: 'open',
    summary: 'The tracker of the swarms (BEP 3): its answers name peers only to a member with a key',
    answers: { 200: bytes('The peers, as in BEP 3') },
  },
  'POST /models/:id/place': {
    role: 'node',
    summary: 'Check whether a model can be added under this id, before its files are copied or sent',
    body: placeBody,
    isBodyOptional: true,
    answers: { 200: foundPlace },
    failures: [400, 409, 500],
    changesNothing: true,
  },
  'POST /models/:id/adopt': {
    role: 'node',
    summary: 'Adopt a directory of incoming/ into the store; with the role admin also one in the place of the model',
    body: adoptBody,
    isBodyOptional: true,
    answers: { 200: lines(workLine(adopted)) },
    failures: ofWork,
  },
  'POST /verify': {
    role: 'node',
    summary: 'Verify models against their checksums',
    body: verifyBody,
    isBodyOptional: true,
    answers: { 200: lines(workLine(verifyReport)) },
    failures: ofWork,
  },
} as const satisfies Routes;
