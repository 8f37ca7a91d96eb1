import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isLong, longTest, rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { leaseNode } from './lease-node.ts';

const models = {
  'org/m': { 'm-Q8_0.gguf': 'eight', 'm-Q4_K_M-00001-of-00002.gguf': 'four', 'm-Q4_K_M-00002-of-00002.gguf': '2', 'mmproj.gguf': 'p' },
  'org/plain': { 'a.safetensors': 'a' },
};

/** Waits for a file that a program of the test writes, and reads it. */
const appears = (path: string): Promise<string> =>
  until(`a line in ${path}`, async () => {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.endsWith('\n') && text.trim();
  });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Ends a program that outlived the skulk that started it. */
function endLater(pid: number): void {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
}

const longSignals = [
  ['SIGINT', 2],
  ['SIGHUP', 1],
  ['SIGQUIT', 3],
] as const;

describe('the command skulk run', () => {
  test('replaces the path, sets the variables, exits with the status of the program, and then applies the budget', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const copy = join(node.root, 'org--m');
    const script =
      'echo "$0 $1 $2 $3"; echo "$SKULK_MODEL_PATH $SKULK_MODEL_ID $SKULK_GGUF_FILE"; test -f "$SKULK_GGUF_FILE" || exit 9; exit 7';
    const ended = await node.run('run', 'org/m', '--', 'sh', '-c', script, '{path}', 'x{gguf}', '{model}', '');
    const gguf = join(copy, 'm-Q4_K_M-00001-of-00002.gguf');
    expect(ended).toMatchObject({ status: 7, stdout: `${copy} x${gguf} org/m \n${copy} org/m ${gguf}\n` });
    expect(await node.staged()).toEqual({});
    expect(await node.leases()).toEqual({});
  });

  longTest('passes words that look like its own flags to the program', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const { stdout } = await node.run('run', 'org/plain', '-q', '--', 'printf', '%s|', '--json', '--', '-q', '--help');
    expect(stdout).toBe('--json|--|-q|--help|');
  });

  test('keeps the copy in use while the program runs', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const began = join(node.home, 'began');
    const running = node.start('run', 'org/m', '--', 'sh', '-c', `echo $$ > ${began}; exec sleep 60`);
    const pid = Number(await appears(began));
    expect(await node.staged()).toEqual({ 'org/m': true });
    const purged = await node.json<{ kept_in_use: unknown[]; evicted: unknown[] }>('purge-staging');
    expect(purged).toMatchObject({ evicted: [], kept_in_use: [{ model_id: 'org/m', holders: [{ pid }, { pid: running.pid }] }] });
    const { stdout } = await node.run('purge-staging', '--dry-run');
    expect(stdout).toContain(`kept org/m:Q4_K_M: in use by pid ${pid} (started by skulk run, pid `);
    await node.run('reconcile');
    expect(await node.staged()).toEqual({ 'org/m': true });
    expect(await node.json('purge-staging', '--force')).toMatchObject({ evicted: [{ model_id: 'org/m' }] });
    running.child.kill('SIGTERM');
    await running.exited;
  });

  longTest.each([['SIGTERM', 15], ...(isLong ? ([['SIGUSR1', 10], ...longSignals] as const) : [])] as const)(
    'passes %s to the program',
    async (signal, number) => {
      const { url } = await serveModels(models);
      const node = await leaseNode(url);
      const began = join(node.home, 'began');
      const wait = `echo $$ > ${began}; while :; do sleep 0.02; done`;
      const trapping = node.start('run', 'org/plain', '--', 'sh', '-c', `trap 'exit 33' ${signal.slice(3)}; ${wait}`);
      await appears(began);
      trapping.child.kill(signal);
      expect(await trapping.exited).toMatchObject({ status: 33 });
      await writeFile(began, '');
      const plain = node.start(
        'run',
        'org/plain',
        '--',
        process.execPath,
        '-e',
        `require('fs').writeFileSync(${JSON.stringify(began)}, process.pid + '\\n'); setInterval(() => {}, 9)`,
      );
      await appears(began);
      // Node's own programs start a debugger at SIGUSR1.
      const last = signal === 'SIGUSR1' ? 'SIGTERM' : signal;
      plain.child.kill(last);
      expect(await plain.exited).toMatchObject({ status: 128 + (last === signal ? number : 15) });
    },
  );

  test('stops staging at SIGINT, without starting the program', async () => {
    const { url } = await serveModels({ 'org/big': { a: Buffer.alloc(60e6, 'a') } });
    const node = await leaseNode(url);
    const running = node.start('run', 'org/big', '--', 'touch', join(node.home, 'began'));
    await until('a lease', async () => Object.keys(await node.leases()).length > 0);
    running.child.kill('SIGINT');
    expect((await running.exited).status).toBe(130);
    await expect(access(join(node.home, 'began'))).rejects.toThrow();
    expect(await node.leases()).toEqual({});
  });

  longTest('exits with 127 and 126 like a shell, before anything is staged', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    const script = join(node.home, 'script');
    await writeFile(script, '#!/bin/sh\nexit 3\n');
    expect(await node.run('run', 'org/m', '--', 'no-such-program')).toMatchObject({
      status: 127,
      stdout: '',
      stderr: expect.stringContaining('no-such-program'),
    });
    expect(await node.run('run', 'org/m', '--', './missing')).toMatchObject({ status: 127 });
    expect(await node.run('run', 'org/m', '--', './script')).toMatchObject({ status: 126 });
    expect(await node.run('run', 'org/m', '--', node.home)).toMatchObject({ status: 126 });
    expect(await node.staged()).toEqual({});
    await chmod(script, 0o755);
    expect(await node.run('run', 'org/m', '--', './script')).toMatchObject({ status: 3 });
  });

  longTest('reports that there is no GGUF file, and how to give a program the directory', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    expect(await node.run('run', 'org/plain', '--', 'echo', '{gguf}')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('{path}'),
    });
    expect(await node.run('run', 'org/plain', 'llama', '-m', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining(' -- ') });
    expect(await node.run('run', 'org/plain')).toMatchObject({ status: 2, stderr: expect.stringContaining('PROGRAM') });
    expect(await node.leases()).toEqual({});
  });

  test('leaves the program running and the copy in use when it is killed', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const began = join(node.home, 'began');
    const running = node.start('run', 'org/m', '--', 'sh', '-c', `echo $$ > ${began}; exec sleep 60`);
    const pid = Number(await appears(began));
    endLater(pid);
    running.child.kill('SIGKILL');
    // The program keeps the pipes of the test open, so its end is not awaited.
    await until('the end of skulk run', () => running.child.signalCode);
    expect(isAlive(pid)).toBe(true);
    expect(await node.json('purge-staging')).toMatchObject({ evicted: [], kept_in_use: [{ model_id: 'org/m', holders: [{ pid }, {}] }] });
    process.kill(pid, 'SIGKILL');
    await until('the end of the program', () => !isAlive(pid));
    expect(await node.json('reconcile')).toMatchObject({
      dropped_leases: [{ model_id: 'org/m' }],
      evicted: [{ model_id: 'org/m' }],
    });
    expect(await node.leases()).toEqual({});
  });

  test('never leaves a program running without a lease, wherever it is killed', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    const random = seededRandom(testSeed);
    for (let round = 0; round < rounds({ few: 2, many: 6 }); round += 1) {
      const began = join(node.home, `began-${round}`);
      const running = node.start('run', 'org/plain', '--', 'sh', '-c', `echo $$ > ${began}; exec sleep 60`);
      await sleep(40 + random() * 120);
      running.child.kill('SIGKILL');
      await until('the end of skulk run', () => running.child.signalCode);
      // A released program starts at once; one that was not released never does.
      await sleep(50);
      const pid = Number(await readFile(began, 'utf8').catch(() => '0'));
      if (pid !== 0) {
        endLater(pid);
        expect(await node.staged(), `round ${round}, SKULK_TEST_SEED=${testSeed}`).toEqual({ 'org/plain': true });
        process.kill(pid, 'SIGKILL');
      }
    }
  });
});

/** `script` gives a program its own terminal; text written to it is typed. */
longTest('Ctrl-C in a terminal reaches the program of skulk run once, and skulk waits for the program', wants('script'), async () => {
  const { url } = await serveModels(models);
  const node = await leaseNode(url);
  const began = join(node.home, 'began');
  const program = join(node.home, 'program.cjs');
  await writeFile(
    program,
    `let count = 0;
    process.on('SIGINT', () => { count += 1; if (count === 1) setTimeout(() => { console.log('counted ' + count); process.exit(5); }, 200); });
    require('fs').writeFileSync(${JSON.stringify(began)}, process.pid + '\\n');
    setTimeout(() => process.exit(9), 20000);`,
  );
  const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));
  const line = `exec '${process.execPath}' '${bin}' run org/plain -- '${process.execPath}' '${program}'`;
  const terminal = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: node.home,
    env: { ...process.env, SKULK_HOME: node.home, SKULK_STORE: url, SKULK_CONFIG: join(node.home, 'skulk.yaml') },
  });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  let said = '';
  terminal.stdout.on('data', (text) => {
    said += String(text);
  });
  await appears(began);
  terminal.stdin.write('\u0003');
  const [status] = await once(terminal, 'close');
  expect(said).toContain('counted 1');
  expect(status).toBe(5);
});
