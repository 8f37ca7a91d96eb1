import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestsBelow, noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, rounds } from '../helpers/seeded.ts';
import { runSkulk, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

async function makeHome() {
  const home = await temporaryDirectory();
  const root = join(home, 'store');
  // With a configured store, no command searches for one at the usual port of this machine.
  await mkdir(root);
  const env = { SKULK_HOME: home };
  /** Runs a command as a process, like other commands at the same time. */
  const run = (...args: string[]) => runSkulk(args, { env });
  /** Runs a command in this process. */
  const look = (...args: string[]) => runInProcess(args, { env });
  const source = async (name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> => {
    await writeFiles(join(home, name), files);
    return join(home, name);
  };
  const entries = async (): Promise<string[]> => Object.keys(JSON.parse(await readFile(join(root, 'registry.json'), 'utf8'))).toSorted();
  return { home, root, run, look, source, entries, env };
}

longTest('many processes that add different models at the same time lose no entry', async () => {
  const { run, look, source, entries } = await makeHome();
  const expected: string[] = [];
  for (let round = 0; round < rounds({ few: 1, many: 25 }); round += 1) {
    const ids = ['a', 'b', 'c'].map((name) => `org/${name}${round}`);
    const path = await source(`s${round}`, { 'a.txt': noise(50_000, round) });
    const ended = await Promise.all(ids.map((id) => run('add', path, '--as', id, '-q')));
    expect(ended.map(({ status, stderr }) => [status, stderr])).toEqual(ids.map(() => [0, '']));
    expected.push(...ids);
    expect(await entries()).toEqual(expected.toSorted());
  }
  expect((await look('verify')).status).toBe(0);
});

test('one of two processes that add different content under one id succeeds, and the other fails with CONFLICT', async () => {
  const { root, run, source } = await makeHome();
  for (let round = 0; round < rounds({ few: 1, many: 10 }); round += 1) {
    const contents = ['one', 'two'].map(
      (text): Record<string, string | Uint8Array> => ({ 'a.gguf': text, 'b.gguf': noise(500_000, text.length + round) }),
    );
    const paths = await Promise.all(contents.map((files, n) => source(`s${round}-${n}`, files)));
    const ended = await Promise.all(paths.map((path) => run('add', path, '--as', `org/m${round}`, '--json')));
    expect(ended.map(({ status }) => status).toSorted()).toEqual([0, 5]);
    expect(ended.find(({ status }) => status === 5)?.stderr).toContain('different content');
    const winner = contents[ended.findIndex(({ status }) => status === 0)] ?? {};
    expect(await digestsBelow(join(root, `org--m${round}`))).toEqual(
      Object.fromEntries(Object.entries(winner).map(([path, bytes]) => [path, sha256(bytes)])),
    );
  }
  expect(await readdir(join(root, '.skulk/v1/incoming'))).toEqual([]);
});

longTest('two processes that add the same content both succeed', async () => {
  const { run, source, entries } = await makeHome();
  const path = await source('s', { 'a.gguf': noise(500_000) });
  const ended = await Promise.all(['a', 'b', 'c'].map(() => run('add', path, '--as', 'org/same', '--json')));
  expect(ended.map(({ status, stdout }) => [status, JSON.parse(stdout).outcome]).toSorted()).toEqual([
    [0, 'added'],
    [0, 'unchanged'],
    [0, 'unchanged'],
  ]);
  expect(await entries()).toEqual(['org/same']);
});

longTest('every add succeeds while serve starts, regardless of which process writes', async () => {
  const { home, run, source, entries } = await makeHome();
  const path = await source('s', { 'a.gguf': noise(200_000) });
  const adding = ['a', 'b', 'c'].map((id) => run('add', path, '--as', id));
  await using server = await startServe({ home });
  const more = ['d', 'e'].map((id) => run('add', path, '--as', id));
  const ended = await Promise.all([...adding, ...more]);
  expect(ended.map(({ status, stderr }) => (status === 0 ? '' : stderr))).toEqual(['', '', '', '', '']);
  expect(await entries()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(((await (await fetch(`${server.url}/models`)).json()) as string[]).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

longTest('a second serve on a store names the process that has it, and after kill -9 the next one takes over at once', async () => {
  const { home, run, env } = await makeHome();
  const server = await startServe({ home });
  const second = await run('serve', '--port', '0', '--api-port', '0', '--host', '127.0.0.1');
  expect(second.status).toBe(5);
  expect(second.stderr).toContain(`pid ${server.pid}`);
  expect(second.stderr).toContain(server.url);
  await server.kill();
  const racing = [1, 2, 3].map(() => startSkulk(['serve', '--port', '0', '--api-port', '0', '--host', '127.0.0.1', '--json'], { env }));
  const losers = await Promise.all(
    racing.map(async (one) =>
      Promise.race([
        one.exited.then(() => one),
        new Promise<undefined>((resolve) => one.child.stdout?.once('data', () => resolve(undefined))),
      ]),
    ),
  );
  const winners = racing.filter((one) => !losers.includes(one));
  expect(winners).toHaveLength(1);
  for (const loser of losers.filter((one) => one !== undefined)) expect(loser.stderr()).toContain(`pid ${winners[0]?.pid}`);
});

test('a server completes an interrupted change when it starts, before it answers', async () => {
  const { home, root, look, source } = await makeHome();
  await look('add', await source('s', { 'a.gguf': 'one' }), '--as', 'org/m');
  // A delete that ended after it had recorded its intent leaves this.
  await mkdir(join(root, '.skulk/v1/intents'), { recursive: true });
  await writeFile(
    join(root, '.skulk/v1/intents/org--m.json'),
    JSON.stringify({ op: 'remove', modelId: 'org/m', storePath: 'org--m', files: ['a.gguf'] }),
  );
  await using server = await serveInProcess({ home });
  expect(await (await fetch(`${server.url}/models`)).json()).toEqual([]);
  expect(await readdir(root)).not.toContain('org--m');
});

test('an invalid intent file does not block any change', async () => {
  const { root, look, source, entries } = await makeHome();
  const path = await source('s', { 'a.txt': 'one' });
  await mkdir(join(root, '.skulk/v1/intents'), { recursive: true });
  const notes = [
    '',
    '{}',
    'null',
    '[]',
    '{"op":"remove","modelId":"org/m","storePath":"../../etc"}',
    '{"op":"publish","entry":{"model_id":"x","store_path":"x"},"manifest":{},"incoming":null}',
  ];
  for (const [n, note] of notes.entries()) await writeFile(join(root, `.skulk/v1/intents/m${n}.json`), note);
  const ended = await look('add', path, '--as', 'org/m', '-q');
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  expect(await entries()).toEqual(['org/m']);
});

test('a file that changed on the host is refused over HTTP with the code INTEGRITY, and a file with only a new date is not', async () => {
  const { home, root, look, source } = await makeHome();
  await look('add', await source('s', { 'a.gguf': 'one', 'b.gguf': 'two' }), '--as', 'org/m');
  await using server = await serveInProcess({ home });
  const file = join(root, 'org--m/a.gguf');
  const ask = () => fetch(`${server.url}/models/org/m/a.gguf`);
  expect(await (await ask()).text()).toBe('one');
  await writeFile(file, 'one');
  expect(await (await ask()).text()).toBe('one');
  await writeFile(file, 'bad');
  const refused = await ask();
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([500, 'INTEGRITY']);
  expect(await (await fetch(`${server.url}/models/org/m/b.gguf`)).text()).toBe('two');
  await writeFile(file, 'one');
  expect(await (await ask()).text()).toBe('one');
});

longTest('a reader gets a complete model while it is replaced again and again', async () => {
  const { home, look, source } = await makeHome();
  const paths = await Promise.all([1, 2].map((n) => source(`s${n}`, { 'a.gguf': noise(300_000, n), [`only-${n}`]: String(n) })));
  await look('add', paths[0] ?? '', '--as', 'm');
  await using server = await startServe({ home });
  const known = new Set([1, 2].map((n) => sha256(noise(300_000, n))));
  let replacing = true;
  const bad: string[] = [];
  const read = async (): Promise<void> => {
    while (replacing) {
      const answer = await fetch(`${server.url}/models/m/a.gguf`);
      const body = Buffer.from(await answer.arrayBuffer());
      const digest = sha256(body);
      if (!known.has(digest) || answer.headers.get('etag') !== `"${digest}"`)
        bad.push(`${answer.status} ${answer.headers.get('etag')} ${digest} ${body.toString('latin1', 0, 300)}`);
    }
  };
  const readers = [read(), read()];
  for (let round = 0; round < rounds({ few: 2, many: 10 }); round += 1)
    expect((await look('add', paths[(round + 1) % 2] ?? '', '--as', 'm', '--force')).status).toBe(0);
  replacing = false;
  await Promise.all(readers);
  expect(bad).toEqual([]);
});
