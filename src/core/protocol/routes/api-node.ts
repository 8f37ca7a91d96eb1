import { nodeEvents } from '../events.ts';
import { nodeIdentity, restarting } from '../health.ts';
import { browsed, changedConfig, configBody, configView, jsonSchema } from '../settings.ts';
import { stageBody, stagingJob, stagingJobs, stagingList } from '../staging.ts';
import { events, type Routes } from './route.ts';

/** The routes about this machine on its API (port 52415); they are never forwarded. */
export const nodeRoutes = {
  'GET /store/storage': { role: 'read', summary: "This node's staged copies", answers: { 200: stagingList } },
  'GET /node/identity': { role: 'read', summary: 'Identity of this node', answers: { 200: nodeIdentity } },
  'GET /node/events': {
    role: 'read',
    summary: 'Server-Sent Events of this node',
    answers: { 200: events(nodeEvents) },
    failures: [503],
    isEndless: true,
    ownPagesOnly: true,
  },
  'GET /node/stage': { role: 'read', summary: 'Running and recent stages of this node', answers: { 200: stagingJobs } },
  'POST /node/stage': {
    role: 'node',
    summary: 'Make a verified copy on this node; GET /node/events reports its progress',
    body: stageBody,
    answers: { 202: stagingJob },
    failures: [400, 404, 409],
  },
  'DELETE /node/stage/:id': {
    role: 'node',
    summary: 'Stop staging; verified data is kept',
    answers: { 200: stagingJob },
    failures: [400, 404, 409],
  },
  'POST /node/restart': {
    role: 'admin',
    summary: 'Restart this server with the settings of the file, in the same process; running requests get ten seconds to finish',
    answers: { 202: restarting },
    failures: [401, 403, 409],
  },
  'GET /config': { role: 'read', summary: 'The configuration, without secrets', answers: { 200: configView } },
  'GET /config/schema': { role: 'read', summary: 'The JSON schema of the configuration file', answers: { 200: jsonSchema } },
  'PUT /config': {
    role: 'admin',
    summary: 'Change settings; absent keys stay, null removes a key',
    query: ['dry_run'],
    body: configBody,
    answers: { 200: changedConfig },
    failures: [400, 403],
  },
  'GET /filesystem/browse': {
    role: 'admin',
    summary: 'The subdirectories of a directory; without a path, the directories that may be browsed',
    query: ['path'],
    answers: { 200: browsed },
    failures: [400, 403, 404],
  },
} as const satisfies Routes;
