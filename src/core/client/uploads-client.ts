import { adopted } from '../protocol/models/adoption.ts';
import { callOf } from '../protocol/routes/call.ts';
import { announcement, listedUpload, uploadList } from '../protocol/uploads.ts';
import type { WorkOptions } from '../store/contract.ts';
import type { Uploads } from '../store/upload-contract.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

const maxBytes = 64 * 1024 * 1024;
/** A store that resumes an upload hashes the existing data before it answers. */
const hashSilenceMs = 30 * 60_000;
const pieceSilenceMs = 60_000;
/** The message for an invalid answer to an adoption. */
export const whyNotAdopted = 'it does not report the result for the model';

/** Uploads a model to the store, piece by piece. @param doWork sends a call that is answered with lines of JSON */
export function createUploadsClient(exchange: Exchange, doWork: (call: Call, work: WorkOptions) => Promise<unknown>): Uploads {
  const { url } = exchange;
  const getJson = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog }));
  return {
    begin: async (manifest, { force, signal }) => {
      const call = {
        ...callOf('PUT /uploads/:id', { id: manifest.model_id }, { force }),
        json: manifest,
        signal,
        silenceMs: hashSilenceMs,
      } as const;
      const { missing, upload } = readAnswer(announcement, await refuseForOther(exchange, 'accept models', () => getJson(call)), {
        url,
        why: 'it does not list the missing pieces',
      });
      return { missing: missing.map(([file = 0, start = 0]) => ({ file, start })), ...(upload !== undefined && { upload }) };
    },
    put: async ({ modelId, digest, upload }, { file, start }, bytes, signal) => {
      const call = {
        ...callOf('PUT /uploads/:id/:digest/:file/:start', { id: modelId, digest, file, start }, { upload }),
        bytes,
        accept: [204],
        signal,
        silenceMs: pieceSilenceMs,
      } as const;
      await exchange.send(call, async () => undefined);
    },
    complete: async ({ modelId, digest, upload, force, revision }, work) => {
      const call = callOf('POST /uploads/:id/:digest/complete', { id: modelId, digest }, { force, revision, upload });
      const answer = await doWork(call, work);
      return readAnswer(adopted, answer, { url, why: whyNotAdopted });
    },
    list: async () => {
      const answer = await refuseForOther(exchange, 'accept models', () => getJson(callOf('GET /uploads', {})));
      return readAnswer(uploadList, answer, { url, why: 'it does not list its uploads' }).uploads;
    },
    cancel: async (id, { of } = { mayCancelOthers: true }) => {
      const answer = await getJson(callOf('DELETE /uploads/:upload', { upload: id }, { of }));
      return readAnswer(listedUpload, answer, { url, why: 'it does not report what it cancelled' });
    },
  };
}
