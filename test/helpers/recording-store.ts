import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a recording store received. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
}

/**
 * A server that answers like an empty store and records every request.
 * @param redirectTo the target of redirects for every request but `/health`
 */
export function makeRecordingStore(onRequest: (request: RecordedRequest) => void, redirectTo?: string): Server {
  return createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    onRequest({ method, path, authorization: headers.authorization ?? null });
    request.resume();
    const answer = (status: number, body: unknown, more: Record<string, string> = {}): void =>
      void response.writeHead(status, { 'Content-Type': 'application/json', ...more }).end(JSON.stringify(body));
    const health = { store_path: '/srv', free_bytes: 1, total_bytes: 1, used_bytes: 0, models: 0, version: '9.9.9', instance: 'one' };
    if (path === '/health') return answer(200, health);
    if (redirectTo !== undefined) return answer(307, {}, { Location: `${redirectTo}${path}` });
    if (path === '/session' && headers.authorization !== undefined)
      return answer(200, { role: 'node', credential: 'named', name: 'mine', lan: 'node' });
    if (path === '/registry') return answer(200, []);
    if (path === '/store/registry') return answer(200, { entries: [] });
    return answer(404, { detail: 'no', code: 'MODEL_NOT_FOUND' });
  });
}

/** The same on a free port of 127.0.0.1, until the test ends. */
export async function recordingStore({ redirectTo }: { redirectTo?: string } = {}): Promise<{
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
}> {
  const requests: RecordedRequest[] = [];
  const server = makeRecordingStore((request) => requests.push(request), redirectTo);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    return new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests };
}
