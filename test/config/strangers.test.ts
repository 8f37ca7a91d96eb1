import { chmod, chown, lchown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const stranger = 12_345;
const text = 'model_store:\n  store_host: evil.example\n';

/** A home with a configuration of the user, and a directory to work in. */
async function aHome() {
  const home = await temporaryDirectory();
  await chmod(home, 0o755);
  const [own, work] = [join(home, 'xdg/skulk/skulk.yaml'), join(home, 'work')];
  await mkdir(join(home, 'xdg/skulk'), { recursive: true });
  await writeFile(own, 'model_store:\n  store_host: mine\n');
  await mkdir(join(work, 'deep/er'), { recursive: true });
  const file = join(work, 'skulk.yaml');
  await writeFile(file, text);
  const run = (args: readonly string[], more: Record<string, string> = {}, cwd = join(work, 'deep/er')) =>
    runInProcess(args, { cwd, env: { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg'), SKULK_HOME: join(home, 'h'), ...more } });
  return { home, own, work, file, run };
}

describe('a configuration file in the working directory or above', wants('root'), () => {
  test('counts when it and its directory belong to this user', async () => {
    const { file, run } = await aHome();
    expect(await run(['config', 'path'])).toMatchObject({ status: 0, stdout: `${file}\n`, stderr: '' });
  });

  test.each<[string, (at: { file: string; work: string; home: string }) => Promise<void>]>([
    ['the file belongs to somebody else', ({ file }) => chown(file, stranger, stranger)],
    ['its directory does', ({ work }) => chown(work, stranger, stranger)],
    ['everybody may replace it', ({ work }) => chmod(work, 0o777)],
    ['everybody may write it', ({ file }) => chmod(file, 0o666)],
    [
      'a link of somebody else leads to a file of this user',
      async ({ file, work, home }) => {
        await writeFile(join(home, 'elsewhere.yaml'), text);
        await rm(file);
        await symlink(join(home, 'elsewhere.yaml'), file);
        await lchown(file, stranger, stranger);
        await chmod(work, 0o1777);
      },
    ],
    [
      'a link of this user leads to a file of somebody else',
      async ({ file, home }) => {
        await writeFile(join(home, 'elsewhere.yaml'), text);
        await chown(join(home, 'elsewhere.yaml'), stranger, stranger);
        await rm(file);
        await symlink(join(home, 'elsewhere.yaml'), file);
      },
    ],
    [
      'it cannot be read and belongs to somebody else',
      async ({ file }) => {
        await chmod(file, 0o000);
        await chown(file, stranger, stranger);
      },
    ],
  ])('is skipped when %s, with one warning, and the search continues', async (_, spoil) => {
    const at = await aHome();
    await spoil(at);
    const { own, file, run } = at;
    const path = await run(['config', 'path', '--json']);
    expect(path, path.stderr).toMatchObject({ status: 0 });
    expect(JSON.parse(path.stdout)).toMatchObject({ path: own, skipped: [{ path: file }] });
    const shown = await run(['config', 'show', '--origin']);
    expect(shown.stdout).toContain('mine');
    expect(shown.stdout).not.toContain('evil');
    expect(shown.stderr.split(`${file} is not read`)).toHaveLength(2);
    // A file named explicitly is trusted.
    const named = await run(['config', 'path', '--config', file]);
    expect(named).toMatchObject({ stdout: `${file}\n`, stderr: '' });
  });

  test('counts in a sticky directory such as /tmp when it belongs to this user', async () => {
    const { file, work, run } = await aHome();
    await chmod(work, 0o1777);
    expect(await run(['config', 'path'])).toMatchObject({ stdout: `${file}\n`, stderr: '' });
  });

  test('counts under sudo when it belongs to the user who called sudo', async () => {
    const { file, work, run, own } = await aHome();
    await chown(file, stranger, stranger);
    await chown(work, stranger, stranger);
    expect(await run(['config', 'path'], { SUDO_UID: String(stranger) })).toMatchObject({ stdout: `${file}\n`, stderr: '' });
    expect(await run(['config', 'path'], { SUDO_UID: String(stranger + 1) })).toMatchObject({ stdout: `${own}\n` });
  });

  test('of another user is reported with its owner, and a nearer one of this user counts', async () => {
    const { file, work, run } = await aHome();
    await chown(file, stranger, stranger);
    expect((await run(['config', 'path'])).stderr).toContain(`belongs to uid ${stranger}`);
    await writeFile(join(work, 'deep/skulk.yaml'), text);
    expect(await run(['config', 'path'])).toMatchObject({ stdout: `${join(work, 'deep/skulk.yaml')}\n`, stderr: '' });
  });
});
