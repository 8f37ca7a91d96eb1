import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/core/server/app/listen.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { talk } from '../helpers/raw-http.ts';

test('text from a client cannot control the terminal that shows the log', async () => {
  const store = await directoryStore({});
  onTestFinished(() => store[Symbol.asyncDispose]());
  const lines: string[] = [];
  const app = await createStoreApp({ store, version: '1', stream: { write: (line) => void lines.push(line) } });
  onTestFinished(() => app.close());
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  // Raw bytes of a target, of a header and of JSON, and the same as escapes.
  const hostile = '\x9b2J\x1b[31m\x7f\x85\u{202e}';
  const bytes = Buffer.from(hostile, 'utf8').toString('latin1').replaceAll('\x1b', '').replaceAll('\x7f', '');
  const body = JSON.stringify({ model_ids: [hostile] });
  for (const target of [`/models/x\x9b2J${bytes}`, `/models/${encodeURIComponent(hostile)}/download`, '/verify'])
    await talk(
      url,
      `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nSkulk-Node: \x9b2J${bytes}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${Buffer.from(body).toString('latin1')}`,
    );
  await expect.poll(() => lines.filter((line) => line.includes('request failed')).length).toBeGreaterThanOrEqual(2);
  const text = lines.join('');
  expect(text).toContain('9b');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not reach a terminal
  expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });
});
