import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerInTurn } from '../../src/core/server/connections/answer-in-turn.ts';
import { until } from '../helpers/waiting.ts';

/** A server that holds its answers back, and a connection with requests that do not wait for answers. */
async function heldServer() {
  const held: { readonly path: string; readonly response: ServerResponse }[] = [];
  const server = createServer((request, response) => void held.push({ path: request.url ?? '', response }));
  answerInTurn(server);
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const send = (count: number): Socket => {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
    for (let number = 1; number <= count; number += 1) socket.write(`GET /${number} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return socket;
  };
  return { held, send };
}

test('requests of one connection that do not wait for answers are answered one after the other', async () => {
  const { held, send } = await heldServer();
  const socket = send(20);
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
  for (let number = 1; number <= 20; number += 1) {
    await until(`request ${number}`, () => held.length === number);
    held.at(-1)?.response.end(`of ${number};`);
  }
  await until('all answers', () => text.split('HTTP/1.1 200').length === 21);
  expect(held.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, index) => `/${index + 1}`));
  expect(text.match(/of \d+;/g)).toEqual(Array.from({ length: 20 }, (_, index) => `of ${index + 1};`));
  socket.destroy();
});

test('a connection with very many requests is closed, and the others are answered', async () => {
  const { held, send } = await heldServer();
  await once(send(1000).resume(), 'close');
  expect(held.map(({ path }) => path)).toEqual(['/1']);
  const other = send(1).resume();
  await until('the request of the other one', () => held.length === 2);
  held.at(-1)?.response.end();
  other.destroy();
});

test('what waits behind a request whose client has gone is not answered', async () => {
  const { held, send } = await heldServer();
  const socket = send(5);
  await until('the first request', () => held.length === 1);
  const closed = once(held[0]?.response as ServerResponse, 'close');
  socket.destroy();
  await closed;
  expect(held).toHaveLength(1);
});
