// Makes the files of a release: an archive with Node inside for each machine, Debian packages, the installer, the Homebrew formula,
// a Dockerfile and SHA256SUMS. It runs on Linux, because it needs GNU tar and dpkg-deb.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { buildDeb } from './build-deb.ts';
import { buildApp, buildTree } from './build-tree.ts';
import { type Archive, formula } from './formula.ts';
import { root, run } from './run.ts';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    out: { type: 'string', default: join(root, 'release') },
    url: { type: 'string' },
  },
});
const wanted = targets.filter(({ id }) => values.target === undefined || values.target.includes(id));
const unknown = values.target?.find((id) => !targets.some((target) => target.id === id));
if (unknown !== undefined) {
  process.stderr.write(`there is no target ${unknown}; there are ${targets.map(({ id }) => id).join(', ')}\n`);
  process.exit(2);
}
const out = resolve(values.out);
await mkdir(out, { recursive: true });
if ((await readdir(out)).some((name) => !/^(skulk|SHA256SUMS$|install\.sh$|Dockerfile$)/.test(name))) {
  process.stderr.write(`${out} has files that are not of a release; choose an empty directory with --out\n`);
  process.exit(2);
}
for (const name of await readdir(out)) await rm(join(out, name));

const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const work = await mkdtemp(join(tmpdir(), 'skulk-release-'));
try {
  const app = await buildApp(work);
  const archives = new Map<string, Archive>();
  for (const target of wanted) {
    const tree = await buildTree(work, app, target, version);
    const name = `${basename(tree)}.tar.gz`;
    const fixed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${process.env['SOURCE_DATE_EPOCH'] ?? 0}`];
    await run('tar', [...fixed, '-czf', join(out, name), '-C', work, basename(tree)]);
    archives.set(target.id, { name, sha256: await sha256Of(join(out, name)) });
    if (target.debian !== undefined) {
      const deb = await buildDeb(work, tree, target, version);
      await copyFile(deb, join(out, basename(deb)));
    }
    process.stdout.write(`${name}\n`);
  }
  const installer = await readFile(join(root, 'packaging/install.sh'), 'utf8');
  await writeFile(join(out, 'install.sh'), values.url === undefined ? installer : installer.replace('@RELEASE_URL@', values.url));
  await copyFile(join(root, 'packaging/Dockerfile'), join(out, 'Dockerfile'));
  if (values.url !== undefined) await writeFile(join(out, 'skulk.rb'), formula({ version, url: values.url, archives }));
  const published = (await readdir(out)).filter((name) => /\.(tar\.gz|deb)$/.test(name)).toSorted();
  const sums = await Promise.all(published.map(async (name) => `${await sha256Of(join(out, name))}  ${name}\n`));
  await writeFile(join(out, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(`the release is in ${out}\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
