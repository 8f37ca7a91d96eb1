import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseWantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { DownloadName, DownloadRequest } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelId, parseModelId, parseRevision } from '../../kernel/model-id.ts';
import type { DownloadBody, DownloadStatus } from '../../protocol/downloads.ts';
import { noteJob } from '../access/log-changes.ts';
import { addRoute } from './add-route.ts';
import { modelOf } from './model-of.ts';

/** The actions of the routes: a store host uses its queue, a node its store. */
export interface DownloadActions {
  readonly ask: (request: DownloadRequest) => Promise<DownloadStatus>;
  /** Undefined if another route has this answer. */
  readonly status: ((name: DownloadName) => Promise<DownloadStatus>) | undefined;
  readonly cancel: (name: DownloadName) => Promise<DownloadStatus>;
}

/** Requests, shows and cancels downloads, below `prefix`/{id}. */
export function addDownloadRoutes(
  app: FastifyInstance,
  prefix: '/models' | '/store/models',
  { ask, status, cancel }: DownloadActions,
): void {
  addRoute(app, `POST ${prefix}/:id/download`, async (request) => {
    const [wanted, ...further] = parseDownloads(modelOf(request), request.body as DownloadBody);
    request.log.info({ model: wanted.modelId, further: further.length }, 'download requested');
    const askFor = async (one: DownloadRequest): Promise<DownloadStatus> => {
      const asked = await ask(one);
      noteJob(request, { ...asked, id: asked.download_id }, one.selector ?? one.ggufFile);
      return asked;
    };
    const first = await askFor(wanted);
    for (const one of further) await askFor(one);
    return first;
  });
  if (status !== undefined) addRoute(app, `GET ${prefix}/:id/download/status`, async (request) => status(nameIn(request)));
  addRoute(app, `DELETE ${prefix}/:id/download`, async (request) => {
    const name = nameIn(request);
    request.log.info({ model: name.modelId, download: name.downloadId }, 'cancel of a download requested');
    return cancel(name);
  });
}

/** @throws SkulkError BAD_REQUEST */
export function downloadIdIn(request: FastifyRequest): string | undefined {
  const { download_id: id } = request.query as { download_id?: unknown };
  if (id === undefined || (typeof id === 'string' && /^[0-9a-f]{16}$/.test(id))) return id;
  throw new SkulkError('BAD_REQUEST', 'download_id is not the id of a download', { hint: 'it has 16 digits, as the status says' });
}

/** Which ended downloads to clear: all without parameters. Throws BAD_REQUEST, BAD_MODEL_ID. */
export function namedIn(request: FastifyRequest): Partial<DownloadName> {
  const { model_id: id } = request.query as { model_id?: unknown };
  // Two of them are an array: they must not clear everything.
  if (id !== undefined && typeof id !== 'string') throw new SkulkError('BAD_REQUEST', 'model_id must be given once');
  return { ...(id !== undefined && { modelId: parseModelId(id) }), downloadId: downloadIdIn(request) };
}

const nameIn = (request: FastifyRequest): DownloadName => ({ modelId: modelOf(request), downloadId: downloadIdIn(request) });

/** The requested download, and further GGUF files in the request. */
function parseDownloads(
  modelId: ModelId,
  { extra_gguf_files, ...body }: DownloadBody,
): readonly [DownloadRequest, ...(readonly DownloadRequest[])] {
  const first = parseDownload(modelId, body);
  const { revision } = first;
  const further = (extra_gguf_files ?? []).map((gguf_file) => parseWantedFiles({ gguf_file, exact: true }));
  return [first, ...further.map((wanted) => ({ modelId, ...(revision !== undefined && { revision }), ...wanted }))];
}

function parseDownload(
  modelId: ModelId,
  { revision, source_revision, ...wanted }: Omit<DownloadBody, 'extra_gguf_files'>,
): DownloadRequest {
  if (revision != null && source_revision != null && revision !== source_revision)
    throw new SkulkError('BAD_REQUEST', 'revision and source_revision contradict each other', { hint: 'use only one of them' });
  const at = revision ?? source_revision;
  return { modelId, ...(at != null && { revision: parseRevision(at) }), ...parseWantedFiles(wanted) };
}
