import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HubAsker, HubBackend, HubFile, HubRepo } from '../../../endpoint/contract.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { FileResponse } from '../../files/plan-file-response.ts';
import { asTransfer, type FileSending, logCutOff, sendHead, sendRange } from '../answer-file.ts';
import { untilGone } from './until-gone.ts';

/** A file of a repo, with its planned answer. */
export interface PlannedFile {
  readonly repo: HubRepo;
  readonly file: HubFile;
  readonly plan: FileResponse;
  readonly asker: HubAsker;
}

/**
 * Answers with a file, or a part of it, as planned. Existing files are sent like the store's own files; missing ones as they arrive.
 * Throws the backend's refusal if nothing has been sent yet.
 */
export async function sendHubFile(
  { backend, sending }: { readonly backend: HubBackend; readonly sending: FileSending },
  request: FastifyRequest,
  reply: FastifyReply,
  { repo, file, plan, asker }: PlannedFile,
): Promise<FastifyReply> {
  const { range } = plan;
  if (range === null) {
    if (plan.status === 200) await backend.head(repo, file, asker);
    sendHead(reply, plan).raw.end();
    return reply;
  }
  return asTransfer(sending, request, async () => {
    const content = await backend.open(repo, file, { range, asker, signal: untilGone(reply) });
    if (content.kind === 'file') {
      await using opened = content.file;
      await sendRange(sending, request, reply, { plan, file: { ...opened, modelId: repo.id, path: file.path }, range });
    } else {
      await sendStream(content.bytes, {
        request,
        reply,
        plan,
        length: range.end - range.start,
        stallTimeoutMs: sending.limits.stallTimeoutMs,
      });
    }
    return reply;
  });
}

/**
 * Sends bytes as they arrive. The headers are sent before the first byte arrives, because some clients wait only ten seconds for them. If
 * the bytes end early, the connection is closed, so that nobody accepts them as complete.
 */
async function sendStream(
  bytes: AsyncIterable<Uint8Array>,
  {
    request,
    reply,
    plan,
    length,
    stallTimeoutMs,
  }: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly plan: FileResponse;
    readonly length: number;
    readonly stallTimeoutMs: number;
  },
): Promise<void> {
  const { socket } = request;
  const response = sendHead(reply, plan).raw;
  response.flushHeaders();
  // A source may be slow for longer than a client may be silent.
  const idleMs = socket.timeout ?? 0;
  socket.setTimeout(0);
  let left = length;
  try {
    for await (const part of bytes) {
      if (response.destroyed) throw new SkulkError('INTERRUPTED', 'the client disconnected');
      left -= part.length;
      if (left < 0) throw new Error('more bytes arrived than requested');
      await sendPart(response, part, stallTimeoutMs);
    }
    if (left > 0) throw new SkulkError('INTERRUPTED', `the bytes ended ${left} before their end`);
    response.end();
    socket.setTimeout(idleMs);
  } catch (error) {
    socket.destroy();
    logCutOff(request, error);
  }
}

/**
 * Sends a part, whose buffer may be overwritten after that. Throws INTERRUPTED if the client disconnects, or reads nothing for too long.
 */
async function sendPart(response: ServerResponse, part: Uint8Array, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let onClose: (() => void) | undefined;
  const taken = await new Promise<boolean>((resolve) => {
    onClose = () => resolve(false);
    response.once('close', onClose);
    response.write(part, (error) => resolve(error === undefined || error === null));
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  clearTimeout(timer);
  if (onClose !== undefined) response.off('close', onClose);
  if (!taken) throw new SkulkError('INTERRUPTED', 'the client disconnected, or read nothing for too long');
}
