import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer as createProxy, request as sendRequest } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** The stand-in behind TLS, like the real Hub, with a certificate that the environment makes trusted. */
async function secureHub() {
  const directory = await temporaryDirectory();
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  ]);
  expect(made.status, String(made.stderr)).toBe(0);
  const inner = await hubWorld();
  const front = createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
    const sent = sendRequest(inner.hub.url + (request.url ?? '/'), { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    sent.on('error', () => request.socket.destroy());
    sent.end();
  });
  const port = await listen(front);
  return { hub: inner.hub, endpoint: `https://localhost:${port}`, cert };
}

describe('a download over TLS', wants('openssl'), () => {
  test('uses a tunnel through a proxy, which cannot see the token or the paths', async () => {
    const { hub, endpoint, cert } = await secureHub();
    hub.push('org/m', { files: { 'config.json': '{}', 'notes.txt': 'small' }, private: true });
    hub.tokens.add('hf_tunnel');
    const seen: string[] = [];
    const proxy = createProxy((_, response) => void response.writeHead(400).end());
    proxy.on('connect', (request, socket, head) => {
      seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      const [, port] = (request.url ?? '').split(':');
      const to = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        to.write(head);
        to.pipe(socket).pipe(to);
      });
      to.on('error', () => socket.destroy());
    });
    const port = await listen(proxy);
    const world = await hubWorld({
      HF_ENDPOINT: endpoint,
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NODE_EXTRA_CA_CERTS: cert,
      HF_TOKEN: 'hf_tunnel',
    });
    const ended = await world.host('download', 'org/m');
    expect(ended.status, ended.stderr).toBe(0);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((line) => line.startsWith(`CONNECT ${endpoint.slice('https://'.length)} `))).toBe(true);
    expect(seen.join('\n')).not.toContain('hf_tunnel');
  });

  test('refuses a certificate that is not trusted, and a redirect to plain HTTP', async () => {
    const { hub, endpoint, cert } = await secureHub();
    hub.push('org/m', { files: { 'config.json': '{}' } });
    // Files in LFS redirect to the stand-in's second host, which uses plain HTTP.
    hub.push('org/lfs', { files: { 'a.safetensors': noise(5000, 1) } });
    const stranger = await hubWorld({ HF_ENDPOINT: endpoint });
    const untrusted = await stranger.host('download', 'org/m');
    expect(untrusted).toMatchObject({ status: 8 });
    expect(untrusted.stderr).toContain('NODE_EXTRA_CA_CERTS');
    const friend = await hubWorld({ HF_ENDPOINT: endpoint, NODE_EXTRA_CA_CERTS: cert });
    expect((await friend.host('download', 'org/m')).status).toBe(0);
    const refused = await friend.host('download', 'org/lfs');
    expect(refused.status, refused.stderr).toBe(8);
    expect(refused.stderr).toContain('redirects');
    expect(hub.sent('a.safetensors')).toBe(0);
  });
});
