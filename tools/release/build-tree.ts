import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from './run.ts';
import type { Target } from './targets.ts';

/** The program as npm would install it, without Node: `app/` of each archive. Its dependencies are those of package-lock.json. */
export async function buildApp(work: string): Promise<string> {
  const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work])) as [
    { filename: string },
  ];
  await run('tar', ['-xzf', join(work, packed.filename), '-C', work]);
  const app = join(work, 'app');
  await rename(join(work, 'package'), app);
  await copyFile(join(root, 'package-lock.json'), join(app, 'package-lock.json'));
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: app });
  await rm(join(app, 'package-lock.json'));
  return app;
}

/** Node for a target, from npm. @throws Error when the package has another integrity */
async function fetchNode(work: string, { runtime }: Target): Promise<string> {
  const into = await mkdtemp(join(work, 'node-'));
  await run('npm', ['pack', '--silent', '--pack-destination', into, `${runtime.name}@${runtime.version}`]);
  const [file = ''] = await readdir(into);
  const digest = `sha512-${createHash('sha512')
    .update(await readFile(join(into, file)))
    .digest('base64')}`;
  if (digest !== runtime.integrity)
    throw new Error(`${runtime.name}@${runtime.version} is ${digest} on the registry; tools/release/targets.ts says ${runtime.integrity}`);
  await run('tar', ['-xzf', join(into, file), '-C', into]);
  return join(into, 'package');
}

/** The whole tree of an archive: `bin/skulk`, `node/`, `app/`, texts, completion; gives its directory, named like the archive. */
export async function buildTree(work: string, app: string, target: Target, version: string): Promise<string> {
  const tree = join(work, `skulk-${version}-${target.id}`);
  const node = await fetchNode(work, target);
  for (const directory of ['bin', 'node/bin', 'completion']) await mkdir(join(tree, directory), { recursive: true });
  await copyFile(join(root, 'packaging/skulk.sh'), join(tree, 'bin/skulk'));
  await chmod(join(tree, 'bin/skulk'), 0o755);
  await copyFile(join(node, 'bin/node'), join(tree, 'node/bin/node'));
  await chmod(join(tree, 'node/bin/node'), 0o755);
  await copyFile(join(node, 'LICENSE'), join(tree, 'node/LICENSE'));
  await cp(app, join(tree, 'app'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) await copyFile(join(root, name), join(tree, name));
  for (const shell of ['bash', 'zsh', 'fish'])
    await writeFile(
      join(tree, 'completion', shell === 'zsh' ? '_skulk' : `skulk.${shell}`),
      await run(process.execPath, [join(root, 'bin/skulk.js'), 'completion', shell]),
    );
  // The installer recognizes its own tree by this file before it replaces or removes it.
  await writeFile(join(tree, '.skulk-release'), `${JSON.stringify({ version, target: target.id, method: 'archive' })}\n`);
  return tree;
}
