import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseWantedFiles, type WantedFilesBody } from '../../catalog/selection/wanted-files.ts';
import type { DownloadRequest, DownloadStatus } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelId, parseRevision } from '../../kernel/model-id.ts';
import { forNodes, forReaders } from '../access/require-role.ts';
import { modelOf } from './model-of.ts';
import { downloadBodySchema, downloadSchema, errorSchema, modelParams } from './schemas.ts';

/** What the routes do; a store host asks its queue, a node its store. */
export interface DownloadActions {
  readonly ask: (request: DownloadRequest) => Promise<DownloadStatus>;
  /** Undefined where another route answers for it. */
  readonly status: ((modelId: ModelId) => Promise<DownloadStatus>) | undefined;
  readonly cancel: (modelId: ModelId) => Promise<DownloadStatus>;
}

/** Asking for a download, looking at it and stopping it, below `prefix`/{id}. */
export function addDownloadRoutes(app: FastifyInstance, prefix: string, { ask, status, cancel }: DownloadActions): void {
  const preValidation = async (request: FastifyRequest): Promise<void> => {
    request.body ??= {};
  };
  const response = { 200: downloadSchema, 400: errorSchema, 404: errorSchema, 409: errorSchema };
  const params = modelParams;
  for (const [id, hide] of [
    [':id', false],
    [':org/:name', true],
  ] as const) {
    const shown = (summary: string) => (hide ? { hide } : { summary, params, response });
    const url = `${prefix}/${id}/download`;
    app.post(
      url,
      { config: forNodes, schema: { ...shown('Fetch a model from Hugging Face'), body: downloadBodySchema }, preValidation },
      async (request) => {
        const wanted = parseDownload(modelOf(request), request.body as DownloadBody);
        request.log.info({ model: wanted.modelId }, 'asked for a download');
        return ask(wanted);
      },
    );
    if (status !== undefined)
      app.get(`${url}/status`, { config: forReaders, schema: shown('How a download is') }, async (request) => status(modelOf(request)));
    app.delete(url, { config: forNodes, schema: shown('Stop a download; what came is kept for the next try') }, async (request) => {
      const modelId = modelOf(request);
      request.log.info({ model: modelId }, 'asked to stop a download');
      return cancel(modelId);
    });
  }
}

interface DownloadBody extends WantedFilesBody {
  readonly revision?: string | null;
  /** What the Python program calls the revision of the repo. */
  readonly source_revision?: string | null;
}

function parseDownload(modelId: ModelId, { revision, source_revision, ...wanted }: DownloadBody): DownloadRequest {
  if (revision != null && source_revision != null && revision !== source_revision)
    throw new SkulkError('BAD_REQUEST', 'revision and source_revision name two revisions', { hint: 'give one of them' });
  const at = revision ?? source_revision;
  return { modelId, ...(at != null && { revision: parseRevision(at) }), ...parseWantedFiles(wanted) };
}
