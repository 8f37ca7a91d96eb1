import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { memoryLimitOf } from '../../src/core/engines/memory-limit.ts';
import { type EngineRun, endLeftEngine, runEngine } from '../../src/core/engines/run-engine.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { ProcessOnMachine } from '../../src/core/kernel/process/process-identity.ts';
import { lives } from '../helpers/quantizer.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';

const cancelled = new SkulkError('CANCELLED', 'it was cancelled');

/** Runs a shell script as an engine. */
async function engine(script: string, more: Partial<EngineRun> = {}) {
  const work = await temporaryDirectory();
  await mkdir(join(work, 'tmp'));
  const abort = new AbortController();
  const lines: string[] = [];
  const ended = runEngine({
    program: '/bin/sh',
    args: ['-c', script],
    work,
    where: { env: process.env, platform: process.platform, homeDirectory: work },
    signal: abort.signal,
    onLine: (line) => void lines.push(line),
    ...more,
  });
  ended.catch(() => undefined);
  const pidIn = (name: string): Promise<number> =>
    until(`the pid in ${name}`, async () => {
      const text = await readFile(join(work, name), 'utf8').catch(() => '');
      return text.endsWith('\n') ? Number(text) : undefined;
    });
  return { work, abort, lines, ended, pidIn };
}

describe('a running engine', () => {
  usualTest('is read line by line, also with progress bars and with characters that arrive in parts', async () => {
    const { ended, lines } = await engine(
      `printf '[1/6] a\\n\\n 10%%\\r 20%%\\r'; printf 'caf\\303' >&2; sleep 0.2; printf '\\251\\n' >&2; printf 'the last one'; exit 3`,
    );
    const { status, lines: last } = await within('the end', ended);
    expect(status).toBe(3);
    expect(lines.toSorted()).toEqual(['[1/6] a', ' 10%', ' 20%', 'café', 'the last one'].toSorted());
    expect(last.at(-1)).toBe('the last one');
  });

  usualTest('needs little memory for any output', async () => {
    const { ended, lines } = await engine(
      `head -c 3000000 /dev/zero | tr '\\0' 'x'; i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done`,
    );
    const { lines: last } = await within('the end', ended);
    expect(last).toHaveLength(40);
    expect(last.at(-1)).toBe('line 499');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(8192 + 10);
  });

  usualTest('gets no token, uses no hub, and has its own directory for its files', async () => {
    const secrets = { HF_TOKEN: 'hf_secret', SKULK_TOKEN: 'secret', HUGGING_FACE_HUB_TOKEN: 'secret', AWS_SECRET_ACCESS_KEY: 'secret' };
    const { ended, lines, work } = await engine('env; pwd', {
      where: { env: { ...process.env, ...secrets }, platform: process.platform, homeDirectory: '/home/somebody' },
    });
    await within('the end', ended);
    expect(lines.join('\n')).not.toContain('secret');
    expect(lines).toEqual(
      expect.arrayContaining([
        'HF_HUB_OFFLINE=1',
        'TRANSFORMERS_OFFLINE=1',
        'LC_ALL=C',
        'HOME=/home/somebody',
        `TMPDIR=${work}/tmp`,
        `HF_HOME=${work}/hf`,
        work,
      ]),
    );
    const names = lines.filter((line) => /^\w+=/.test(line)).map((line) => line.slice(0, line.indexOf('=')));
    const allowed =
      /^(?:PATH|HOME|TMPDIR|LC_ALL|NO_COLOR|PYTHON\w+|HF_\w+|TRANSFORMERS_OFFLINE|(?:DY)?LD_LIBRARY_PATH|PWD|OLDPWD|SHLVL|_)$/;
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
  });

  usualTest('gets its arguments unchanged, without a shell', async () => {
    const words = ['$(touch x)', '; exit 1', '*', 'a b', '"', '--'];
    const { ended, lines } = await engine('', { args: ['-c', 'for word; do printf "<%s>\\n" "$word"; done', 'name', ...words] });
    await within('the end', ended);
    expect(lines).toEqual(words.map((word) => `<${word}>`));
  });

  usualTest('runs within the memory limit of the environment, and with low priority', async () => {
    const directory = await temporaryDirectory();
    const log = join(directory, 'asked');
    await writeFile(
      join(directory, 'systemd-run'),
      `#!/bin/sh\necho "$*" > '${log}'\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const where = {
      env: { PATH: `${directory}:${process.env['PATH']}`, SKULK_ENGINE_MEMORY_MAX: '3G' },
      platform: 'linux',
      homeDirectory: '/',
    } as const;
    const memoryLimit = memoryLimitOf(where);
    const { ended, lines } = await engine('nice', { memoryLimit });
    expect(await within('the end', ended)).toMatchObject({ status: 0 });
    expect(lines).toEqual(['10']);
    expect(await readFile(log, 'utf8')).toMatch(/--scope .*-p MemoryMax=3221225472 -p MemorySwapMax=0 -- .*sh -c nice/);
    const limit = (value: string, more: object = {}) =>
      memoryLimitOf({ ...where, env: { ...where.env, SKULK_ENGINE_MEMORY_MAX: value }, ...more });
    expect(limit('')).toBeUndefined();
    for (const wrong of ['a lot', '0', '-1', '1.5G', '1g --'])
      expect(() => limit(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(() => limit('3G', { platform: 'darwin' })).toThrow(/no control groups/);
  });

  longTest('ends with all of its child processes when it is cancelled', async () => {
    const { ended, abort, pidIn } = await engine('sleep 600 & echo $! > child; echo $$ > self; wait');
    const [child, self] = [await pidIn('child'), await pidIn('self')];
    abort.abort(cancelled);
    await expect(within('the end', ended)).rejects.toBe(cancelled);
    await until('the end of both', () => !lives(child) && !lives(self));
  });

  usualTest('leaves no process behind that keeps its output open', async () => {
    const { ended, pidIn } = await engine('sleep 600 & echo $! > child; exit 0');
    expect(await within('the end', ended)).toMatchObject({ status: 0 });
    const child = await pidIn('child');
    await until('the end of what it left', () => !lives(child));
  });

  usualTest('starts only after its process was recorded, and not at all when that fails', async () => {
    const gate = Promise.withResolvers<void>();
    let who: ProcessOnMachine | undefined;
    const { ended, lines } = await engine('echo begun', {
      onStart: async (engineProcess) => {
        who = engineProcess;
        await gate.promise;
      },
    });
    const { pid } = await until('the process', () => who);
    expect(lives(pid)).toBe(true);
    expect(lines).toEqual([]);
    gate.reject(new Error('the disk is full'));
    await expect(within('the end', ended)).rejects.toThrow('the disk is full');
    expect(lines).toEqual([]);
    await until('the end of the process', () => !lives(pid));
  });

  longTest('without an owner is ended by its recorded process, and no other process is', async () => {
    let who: ProcessOnMachine | undefined;
    const { ended, pidIn } = await engine('sleep 600 & echo $! > child; wait', {
      onStart: async (one) => {
        who = one;
      },
    });
    const child = await pidIn('child');
    const left = await until('the process', () => who);
    // The same pid with another start time: the pid was given to another process.
    await endLeftEngine({ ...left, startTime: `${left.startTime}9` });
    await endLeftEngine({ ...left, hostname: 'elsewhere', startTime: `other-boot:${left.startTime}` });
    expect(lives(left.pid)).toBe(true);
    await within('the end of what was left', endLeftEngine(left));
    await until('the end of both', () => !lives(child) && !lives(left.pid));
    expect(await within('the end', ended)).toMatchObject({ status: 143 });
  });
});
