import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { arrivedFile } from '../../connect/host-downloads.ts';
import type { DownloadQueue } from '../../jobs/download-queue.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { parseModelId } from '../../kernel/model-id.ts';
import type { Limits } from '../app/limits.ts';
import { createBufferPool } from '../files/buffer-pool.ts';
import { sendFile } from '../files/send-file.ts';
import { createSlots } from '../files/slots.ts';
import { addRoute } from './add-route.ts';
import { downloadIdIn } from './download-routes.ts';

/** The arrived chunks of a running download, so that nodes can copy them before its end. */
export function addChunkRoutes(
  app: FastifyInstance,
  { downloads, root, limits }: { downloads: DownloadQueue; root: string; limits: Limits },
): void {
  const pool = createBufferPool({ large: limits.largeBuffers });
  const transfers = createSlots('transfers are under way', limits.maxTransfers, limits.transfersPerAddress);
  addRoute(app, 'GET /downloads/:id/chunks', async (request) => {
    const { from } = request.query as { from?: string };
    const number = /^\d{1,9}$/.test(from ?? '') ? Number(from) : 0;
    const modelId = parseModelId((request.params as { id: string }).id);
    return downloads.arrived({ modelId, downloadId: downloadIdIn(request) }, number, new AbortController().signal);
  });
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { id, run, number } = request.params as { id: string; run: string; number: string };
    const modelId = parseModelId(id);
    const found = /^\d{1,9}$/.test(number) ? downloads.findArrived(modelId, { run, number: Number(number) }) : undefined;
    if (found === undefined) throw noSuchChunk();
    const { chunk } = found;
    const release = transfers.take(request.ip);
    try {
      const handle = await open(arrivedFile(root, found), constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => {
        throw noSuchChunk();
      });
      try {
        const headers = {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(chunk.end - chunk.start),
          ETag: `"${chunk.sha256}"`,
        };
        const begin = (): void => {
          reply.hijack();
          reply.raw.writeHead(200, headers);
        };
        await sendFile({ handle }, chunk, {
          socket: request.socket,
          response: reply.raw,
          pool,
          stallTimeoutMs: limits.stallTimeoutMs,
          begin,
        });
      } catch (error) {
        if (!reply.raw.headersSent) throw error;
        request.log.debug({ url: request.originalUrl }, `the transfer of a chunk was interrupted: ${String(error)}`);
      } finally {
        await handle.close();
      }
    } finally {
      release();
    }
    return reply;
  };
  addRoute(app, 'GET /downloads/:id/chunks/:run/:number', answer);
}

const noSuchChunk = (): SkulkError => new SkulkError('FILE_NOT_FOUND', 'chunk not found', { hint: 'the download may have ended' });
