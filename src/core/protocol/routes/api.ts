import { codeBody, endedSession, madeToken, namedToken, pageCode, pageKey, session, tokenBody, tokenList } from '../access.ts';
import { downloadBody, downloadList, downloadStatus } from '../downloads.ts';
import { nodeEvents, storeEvents } from '../events.ts';
import { deleted, nodeList, orderList, purgeBody, purged } from '../fleet.ts';
import { healthView, nodeIdentity } from '../health.ts';
import { hubOffer, openAiModels, registryList, shownModel, verifyReport } from '../models.ts';
import { browsed, changedConfig, configBody, configView, jsonSchema, policyBody, policyView } from '../settings.ts';
import { stageBody, stagingJob, stagingJobs, stagingList } from '../staging.ts';
import { listedUpload, uploadList } from '../uploads.ts';
import { verifyBody, workLine } from '../work.ts';
import { events, lines, type Routes } from './route.ts';

const ofDownloads = [400, 404, 409] as const;
const ofModels = [400, 404, 503] as const;

/** What both ports of a store host answer of the store, and the API of each node too; a node passes it on. */
const storeRoutes = {
  'GET /store/health': { role: 'read', summary: 'How the store is', answers: { 200: healthView }, failures: [503] },
  'GET /store/registry': { role: 'read', summary: 'What the store holds, with tags', answers: { 200: registryList }, failures: [503] },
  'GET /v1/models': {
    role: 'read',
    summary: 'What the store holds, as OpenAI lists models',
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
    summary: 'Remove one quantization of a model and every staged copy of it; with the last one the model goes',
    query: ['wait_ms', 'force'],
    answers: { 200: deleted },
    failures: [400, 404, 409, 503],
  },
  'GET /store/models/:id': {
    role: 'read',
    summary: 'One model: files, digests, tags, companions, on which nodes it is staged',
    answers: { 200: shownModel },
    failures: ofModels,
  },
  // It makes this machine ask Hugging Face, so it is not for every page.
  'GET /store/hub/:id': {
    role: 'node',
    summary: 'What a download from Hugging Face would bring, with a choice of GGUF quantizations',
    query: ['revision', 'wanted'],
    answers: { 200: hubOffer },
    failures: ofModels,
    ownPagesOnly: true,
  },
  'POST /store/verify': {
    role: 'node',
    summary: 'Hash models again and compare',
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
    summary: 'The unfinished uploads: who sends what, how much has come, since when',
    answers: { 200: uploadList },
    failures: [503],
  },
  'DELETE /store/uploads/:upload': {
    role: 'node',
    summary: 'Cancel an unfinished upload, by the id that its sender has, or by that of the list',
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
    summary: 'How a download is',
    answers: { 200: downloadStatus },
    failures: ofDownloads,
  },
  'DELETE /store/models/:id/download': {
    role: 'node',
    summary: 'Stop a download; what came is kept for the next try',
    answers: { 200: downloadStatus },
    failures: ofDownloads,
  },
  'POST /store/purge-staging': {
    role: 'node',
    summary: 'Remove staged copies on every node, or on those that are named; canonical copies stay',
    query: ['wait_ms'],
    body: purgeBody,
    isBodyOptional: true,
    answers: { 200: purged },
    failures: [400, 404, 503],
  },
  'GET /store/orders': {
    role: 'read',
    summary: 'The orders that some node has not carried out',
    answers: { 200: orderList },
    failures: [503],
  },
  'GET /store/nodes': { role: 'read', summary: 'Every node that reported', answers: { 200: nodeList }, failures: [503] },
} as const satisfies Routes;

/** What every server answers of whoever asks it. */
const sessionRoutes = {
  'GET /session': { role: 'read', summary: 'What whoever asks may do here', answers: { 200: session }, failures: [401] },
  'POST /session': {
    role: 'open',
    summary: 'Change the code of a link, which works once, for the key of a page',
    body: codeBody,
    answers: { 200: pageKey },
    failures: [400, 401, 403, 429],
  },
  'DELETE /session': { role: 'read', summary: 'End the key of this page', answers: { 200: endedSession }, failures: [400, 401, 403, 429] },
  'POST /session/codes': {
    role: 'admin',
    summary: 'Make a code for a link that opens the page with the role admin',
    answers: { 200: pageCode },
    failures: [400, 401, 403, 429],
  },
} as const satisfies Routes;

/** The named tokens and the policy of a store, on both ports of its host. */
const administrationRoutes = {
  'GET /tokens': {
    role: 'admin',
    summary: 'The named tokens, without the tokens themselves',
    answers: { 200: tokenList },
    failures: [400, 401, 403],
  },
  'POST /tokens': {
    role: 'admin',
    summary: 'Make a named token; it is shown this once',
    body: tokenBody,
    answers: { 200: madeToken },
    failures: [400, 401, 403, 409],
  },
  'DELETE /tokens/:name': { role: 'admin', summary: 'Revoke a named token', answers: { 200: namedToken }, failures: [400, 401, 403, 404] },
  'GET /policy': { role: 'read', summary: 'The policy of the store', answers: { 200: policyView }, failures: [400, 401, 403] },
  'PUT /policy': {
    role: 'admin',
    summary: 'Change the policy; what is not named stays, null brings the default back',
    body: policyBody,
    answers: { 200: policyView },
    failures: [400, 401, 403],
  },
} as const satisfies Routes;

/** What a machine says of itself on its API (port 52415), and is asked; none of it is passed on. */
const nodeRoutes = {
  'GET /store/storage': { role: 'read', summary: "This node's staged copies", answers: { 200: stagingList } },
  'GET /node/identity': { role: 'read', summary: 'Who this node is', answers: { 200: nodeIdentity } },
  'GET /node/events': {
    role: 'read',
    summary: 'Server-Sent Events of this very node',
    answers: { 200: events(nodeEvents) },
    failures: [503],
    isEndless: true,
    ownPagesOnly: true,
  },
  'GET /node/stage': { role: 'read', summary: 'What this node stages, and what ended last', answers: { 200: stagingJobs } },
  'POST /node/stage': {
    role: 'node',
    summary: 'Make a verified copy on this node; GET /node/events says how far it is',
    body: stageBody,
    answers: { 202: stagingJob },
    failures: [400, 404, 409],
  },
  'DELETE /node/stage/:id': {
    role: 'node',
    summary: 'Stop staging; what is verified is kept',
    answers: { 200: stagingJob },
    failures: [400, 404, 409],
  },
  'GET /config': { role: 'read', summary: 'The configuration, without secrets', answers: { 200: configView } },
  'GET /config/schema': { role: 'read', summary: 'The JSON schema of the configuration file', answers: { 200: jsonSchema } },
  'PUT /config': {
    role: 'admin',
    summary: 'Change settings; what is not named stays, null takes a key out',
    query: ['dry_run'],
    body: configBody,
    answers: { 200: changedConfig },
    failures: [400, 403],
  },
  'GET /filesystem/browse': {
    role: 'admin',
    summary: 'The directories in one below those that may be looked at; those themselves without a path',
    query: ['path'],
    answers: { 200: browsed },
    failures: [400, 403, 404],
  },
} as const satisfies Routes;

export const apiRoutes = { ...storeRoutes, ...sessionRoutes, ...administrationRoutes, ...nodeRoutes } as const;
