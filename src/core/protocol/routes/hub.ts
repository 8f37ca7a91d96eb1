import { hubAccess, hubCommits, hubError, hubHarnesses, hubModel, hubModels, hubRefs, hubTree } from '../hub.ts';
import { bytes, type Routes } from './route.ts';

const ofModels = { role: 'read', failures: [401, 403, 404, 503], failureBody: hubError } as const;
const ofFiles = {
  role: 'read',
  answers: { 200: bytes('The file; the `ETag` is its sha256 or its git blob id'), 206: bytes('A range of it') },
  failures: [401, 403, 404, 416, 424, 503, 507],
  failureBody: hubError,
} as const;

/** The store as a Hugging Face Hub (docs/hub-endpoint.md), on both ports; a node forwards it. */
export const hubRoutes = {
  'GET /:id/resolve/:revision/*': { ...ofFiles, summary: 'The bytes of a file at a revision; ranges and conditions as in RFC 9110' },
  'GET /:id/raw/:revision/*': { ...ofFiles, summary: 'The same; for an LFS file, its pointer' },
  'GET /api/models': {
    ...ofModels,
    summary: 'The models of the store, as the Hub lists them',
    query: ['search', 'author', 'filter', 'sort', 'limit'],
    answers: { 200: hubModels },
    failures: [401, 403, 503],
  },
  'GET /api/models/:id': { ...ofModels, summary: 'A model and its files', query: ['blobs'], answers: { 200: hubModel } },
  'GET /api/models/:id/revision/:revision': {
    ...ofModels,
    summary: 'A model and its files at a revision',
    query: ['blobs'],
    answers: { 200: hubModel },
  },
  'GET /api/models/:id/tree/:revision': {
    ...ofModels,
    summary: 'The files and directories of a model at a revision',
    query: ['recursive', 'expand'],
    answers: { 200: hubTree },
  },
  'GET /api/models/:id/tree/:revision/*': {
    ...ofModels,
    summary: 'The content of a directory of a model at a revision',
    query: ['recursive', 'expand'],
    answers: { 200: hubTree },
  },
  'POST /api/models/:id/paths-info/:revision': {
    ...ofModels,
    summary: 'The entries at some paths of a model; the body is a form or JSON with `paths` and `expand`, and missing paths are omitted',
    answers: { 200: hubTree },
    failures: [400, 401, 403, 404, 503],
    changesNothing: true,
  },
  'GET /api/models/:id/refs': {
    ...ofModels,
    summary: 'The branches of a model: only `main`',
    query: ['include_prs'],
    answers: { 200: hubRefs },
  },
  'GET /api/models/:id/commits/:revision': { ...ofModels, summary: 'The commits of a model: always one', answers: { 200: hubCommits } },
  'GET /api/models/:id/auth-check': { ...ofModels, summary: 'Whether a model may be read', answers: { 200: hubAccess } },
  'GET /api/agent-harnesses': {
    role: 'read',
    summary: 'A list that `hf` requests at each start',
    answers: { 200: hubHarnesses },
    failures: [401, 403],
    failureBody: hubError,
  },
} as const satisfies Routes;
