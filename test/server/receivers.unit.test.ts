import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createReceivers } from '../../src/core/server/files/receivers.ts';

const model = parseModelId('org/one');

function receiversOf() {
  let removed: (id: typeof model, files?: ReadonlySet<string>) => void = () => {};
  const receivers = createReceivers({
    onRemoved: (listener) => {
      removed = listener;
      return () => {};
    },
  });
  return { receivers, remove: (files?: ReadonlySet<string>) => removed(model, files) };
}

test('a connection that receives a removed file is closed, even if another file was requested after it', () => {
  const { receivers, remove } = receiversOf();
  const socket = new Socket();
  receivers.add(model, socket, 'a.gguf');
  const done = receivers.add(model, socket, 'b.gguf');
  done();
  remove(new Set(['b.gguf']));
  expect(socket.destroyed).toBe(false);
  remove(new Set(['a.gguf']));
  expect(socket.destroyed).toBe(true);
});

test('a connection that has received its file stays open, and a deleted model closes those that have not', () => {
  const { receivers, remove } = receiversOf();
  const [ready, waiting] = [new Socket(), new Socket()];
  receivers.add(model, ready, 'a.gguf')();
  receivers.add(model, waiting, 'a.gguf');
  remove();
  expect([ready.destroyed, waiting.destroyed]).toEqual([false, true]);
});
