import { arrivedChunks, downloadBody, downloadStatus } from '../downloads.ts';
import {
  acknowledged,
  deleted,
  forgotten,
  givenOrder,
  knownNode,
  orderBody,
  orderLine,
  orderOutcome,
  ordersToDo,
  reportBody,
} from '../fleet.ts';
import { storeHealth } from '../health.ts';
import { hashing, manifest } from '../manifest.ts';
import { adopted, describedEntry, verifyReport } from '../models.ts';
import { list, modelId, relativePath } from '../schema.ts';
import { announcement, listedUpload, uploadList } from '../uploads.ts';
import { adoptBody, verifyBody, workLine } from '../work.ts';
import { bytes, lines, type Routes } from './route.ts';

const ofUploads = [400, 404, 409, 503, 507] as const;
const ofWork = [400, 403, 404, 409] as const;

/** The file server of a store host (port 58080): it holds the models and is what machines talk to. */
export const fileServerRoutes = {
  'GET /health': { role: 'open', summary: 'How the store is', answers: { 200: storeHealth } },
  'GET /registry': { role: 'read', summary: 'Every model that the store holds', answers: { 200: list(describedEntry) } },
  'GET /models': { role: 'read', summary: 'The ids of the models', answers: { 200: list(modelId()) } },
  'GET /downloads': {
    role: 'read',
    summary: 'The running and waiting downloads',
    query: ['recent'],
    answers: { 200: list(downloadStatus) },
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
    summary: 'Stop a download; what came is kept for the next try',
    answers: { 200: downloadStatus },
    failures: [400, 404, 409],
  },
  'GET /downloads/:id/chunks': {
    role: 'read',
    summary: 'The chunks that a running download has, from a number on',
    query: ['from'],
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
    summary: 'How a download is',
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
    summary: 'Remove one quantization of a model and every staged copy of it; with the last one the model goes',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [400, 404, 409],
  },
  'GET /models/:id/*': {
    role: 'read',
    summary: "The bytes of a model's file; ranges and conditions as in RFC 9110",
    answers: { 200: bytes('The file; the `ETag` is its sha256'), 206: bytes('A range of it') },
    failures: [400, 404],
  },
  'GET /nodes': { role: 'read', summary: 'Every node that reported', answers: { 200: list(knownNode) } },
  'POST /nodes/:node': {
    role: 'node',
    summary: 'A node says how it is, and hears what it has to do',
    body: reportBody,
    answers: { 200: ordersToDo },
    failures: [400, 404],
  },
  'DELETE /nodes/:node': { role: 'admin', summary: 'Forget a node and its orders', answers: { 200: forgotten }, failures: [400, 404] },
  'GET /nodes/:node/orders': {
    role: 'node',
    summary: 'What a node has to do, as it is given',
    query: ['knows'],
    answers: { 200: lines(orderLine) },
    failures: [400, 404],
    isEndless: true,
  },
  'POST /nodes/:node/orders/:order': {
    role: 'node',
    summary: 'A node says what it did',
    body: orderOutcome,
    answers: { 200: acknowledged },
    failures: [400, 404],
  },
  'POST /orders': {
    role: 'node',
    summary: 'Give every node an order, or those that are named',
    body: orderBody,
    answers: { 200: givenOrder },
    failures: [400, 404],
  },
  'GET /orders': { role: 'read', summary: 'The orders that some node has not carried out', answers: { 200: list(givenOrder) } },
  'GET /orders/:order': {
    role: 'read',
    summary: 'How an order stands',
    query: ['wait_ms'],
    answers: { 200: givenOrder },
    failures: [400, 404],
  },
  'GET /uploads': {
    role: 'read',
    summary: 'The unfinished uploads: who sends what, how much has come, since when',
    answers: { 200: uploadList },
    failures: [503],
  },
  'DELETE /uploads/:upload': {
    role: 'node',
    summary: 'Cancel an unfinished upload, by the id that its sender has, or by that of the list',
    answers: { 200: listedUpload },
    failures: [403, 404, 409, 503],
  },
  'PUT /uploads/:id': {
    role: 'node',
    summary: 'Announce a model by its manifest; the answer names the pieces that the store lacks, and the id of the upload',
    query: ['replace'],
    answers: { 200: announcement },
    failures: ofUploads,
  },
  'PUT /uploads/:id/:digest/:file/:start': {
    role: 'node',
    summary: 'One piece, as bytes; it counts when it is what the manifest says',
    query: ['upload'],
    answers: {},
    failures: ofUploads,
  },
  'POST /uploads/:id/:digest/complete': {
    role: 'node',
    summary: 'Make the model of what has come',
    query: ['replace', 'revision', 'upload'],
    answers: { 200: lines(workLine(adopted)) },
    failures: ofUploads,
  },
  'POST /models/:id/adopt': {
    role: 'node',
    summary: 'Take a directory of incoming/ into the store; with the role admin also one that lies in the place of the model',
    body: adoptBody,
    isBodyOptional: true,
    answers: { 200: lines(workLine(adopted)) },
    failures: ofWork,
  },
  'POST /verify': {
    role: 'node',
    summary: 'Hash models again and compare',
    body: verifyBody,
    isBodyOptional: true,
    answers: { 200: lines(workLine(verifyReport)) },
    failures: ofWork,
  },
} as const satisfies Routes;
