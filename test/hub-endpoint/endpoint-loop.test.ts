import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countedDoor } from '../helpers/counted-door.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a store whose HF_ENDPOINT is one of its own nodes reports this, instead of an endless loop of requests', async () => {
  const home = await temporaryDirectory();
  const door = await countedDoor('http://127.0.0.1:9');
  const node = await serveInProcess({
    home: join(home, 'n1'),
    args: ['--role', 'node'],
    env: { SKULK_STORE: door.url, SKULK_NODE_ID: 'n1' },
  });
  const host = await serveInProcess({ home: join(home, 'host'), env: { HF_ENDPOINT: node.apiUrl, SKULK_NODE_ID: 'host' } });
  await door.open(host.url);
  for (const url of [host.url, node.apiUrl]) {
    const answer = await ask(url, '/org/m/resolve/main/config.json');
    expect([answer.status, answer.json()]).toEqual([
      508,
      { error: expect.stringMatching(/^HF_ENDPOINT \(http:\/\/127\.0\.0\.1:\d+\) leads back to this store \(set it to [^()]*\)$/) },
    ]);
  }
});
