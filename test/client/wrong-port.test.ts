import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a command that is given the port of the page, whichever it is, prints where the store is', async () => {
  const home = await temporaryDirectory();
  await using host = await serveInProcess({ home: join(home, 'host'), env: {} });
  const { port } = new URL(host.apiUrl);
  const said = expect.stringContaining(
    `${port} is the port of the page and the API; the store is at http://127.0.0.1:${new URL(host.url).port}`,
  );
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: `http://127.0.0.1:${port}` };
  for (const args of [['registry'], ['stage', 'org/m'], ['download', 'org/m'], ['delete', 'org/m', '--yes']])
    expect(await runInProcess(args, { env }), args.join(' ')).toMatchObject({ status: 4, stdout: '', stderr: said });
});
