import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { boundConnections } from '../../src/core/server/connections/bound-connections.ts';
import { createSlots, peerOf } from '../../src/core/server/files/slots.ts';

test('connections are limited together and for each address, and each one is released once', () => {
  const slots = createSlots('guests are here', 3, 2);
  const [first, second] = [slots.take('10.0.0.1'), slots.take('::ffff:10.0.0.1')];
  expect(() => slots.take('10.0.0.1')).toThrow(expect.objectContaining({ code: 'STORE_BUSY', retryAfterMs: expect.any(Number) }));
  slots.take('10.0.0.2');
  expect(() => slots.take('10.0.0.3')).toThrow(/3 guests are here, which is the limit/);
  first();
  first();
  slots.take('10.0.0.3');
  expect(() => slots.take('10.0.0.4')).toThrow();
  second();
});

test('an IPv6 address counts as its network, and loopback and link-local addresses as themselves', () => {
  expect(peerOf('2001:db8:1:2:aaaa::1')).toBe(peerOf('2001:db8:1:2:bbbb:0:0:9'));
  expect(peerOf('2001:db8:1:2::1')).not.toBe(peerOf('2001:db8:1:3::1'));
  expect([peerOf('::1'), peerOf('fe80::1%eth0'), peerOf('::ffff:1.2.3.4'), peerOf('1.2.3.4')]).toEqual([
    '::1',
    'fe80::1',
    '1.2.3.4',
    '1.2.3.4',
  ]);
});

async function server(limits: { connections: number; connectionsPerAddress: number }) {
  const app = createServer((_, response) => void response.end('here'));
  boundConnections(app, limits);
  await new Promise<void>((listening) => void app.listen(0, '127.0.0.1', listening));
  const { port } = app.address() as AddressInfo;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    app.close();
    app.closeAllConnections();
  });
  const open = async (from: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const get = (from: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, localAddress: from, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });
  return { open, get };
}

test('an address with too many connections loses its oldest idle one, and others are served', async () => {
  const { open, get } = await server({ connections: 40, connectionsPerAddress: 4 });
  const first = await open('127.0.0.2');
  const gone = once(first, 'close');
  for (let count = 0; count < 12; count += 1) await open('127.0.0.2');
  await gone;
  expect(await get('127.0.0.1')).toBe(200);
  expect(await get('127.0.0.2')).toBe(200);
});

test('the address with most connections loses one when all are in use', async () => {
  const { open, get } = await server({ connections: 8, connectionsPerAddress: 8 });
  const few = await open('127.0.0.3');
  const many = await Promise.all(Array.from({ length: 4 }, () => open('127.0.0.2')));
  const others = await Promise.all(['127.0.0.4', '127.0.0.5', '127.0.0.6'].map(open));
  const lost = Promise.race(many.map((socket) => once(socket, 'close')));
  expect(await get('127.0.0.1')).toBe(200);
  await lost;
  for (const socket of [few, ...others]) expect(socket.destroyed).toBe(false);
});
