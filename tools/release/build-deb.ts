import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root, run } from './run.ts';
import { systemUnit } from './system-unit.ts';
import type { Target } from './targets.ts';

/**
 * Builds the Debian package of a tree; returns its path. It contains the systemd unit, the man pages and completion of bash, zsh and
 * fish.
 */
export async function buildDeb(work: string, tree: string, { debian = '' }: Target, version: string): Promise<string> {
  const name = `skulk_${version}_${debian}.deb`;
  const base = join(work, name.replace(/\.deb$/, ''));
  const place = join(base, 'usr/lib/skulk');
  await mkdir(place, { recursive: true });
  for (const entry of ['bin', 'node', 'app']) await cp(join(tree, entry), join(place, entry), { recursive: true, verbatimSymlinks: true });
  await writeFile(join(place, '.skulk-release'), `${JSON.stringify({ version, target: debian, method: 'deb' })}\n`);
  await mkdir(join(base, 'usr/bin'), { recursive: true });
  await symlink('../lib/skulk/bin/skulk', join(base, 'usr/bin/skulk'));
  const copies: readonly (readonly [string, string])[] = [
    ['completion/skulk.bash', 'usr/share/bash-completion/completions/skulk'],
    ['completion/_skulk', 'usr/share/zsh/vendor-completions/_skulk'],
    ['completion/skulk.fish', 'usr/share/fish/vendor_completions.d/skulk.fish'],
    ['LICENSE', 'usr/share/doc/skulk/copyright'],
    ['README.md', 'usr/share/doc/skulk/README.md'],
  ];
  for (const [from, to] of copies) {
    await mkdir(join(base, to, '..'), { recursive: true });
    await copyFile(join(tree, from), join(base, to));
  }
  const zipped = async (from: string, to: string): Promise<void> => {
    await mkdir(join(base, to, '..'), { recursive: true });
    await writeFile(join(base, to), gzipSync(await readFile(from), { level: 9 }));
  };
  await zipped(join(tree, 'CHANGELOG.md'), 'usr/share/doc/skulk/changelog.gz');
  for (const page of await readdir(join(tree, 'app/man')))
    await zipped(join(tree, 'app/man', page), `usr/share/man/man${page.at(-1)}/${page}.gz`);
  await rm(join(place, 'app/man'), { recursive: true });
  await mkdir(join(base, 'usr/lib/systemd/system'), { recursive: true });
  await writeFile(join(base, 'usr/lib/systemd/system/skulk.service'), systemUnit());
  await mkdir(join(base, 'DEBIAN'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await copyFile(join(root, 'packaging/debian', script), join(base, 'DEBIAN', script));
    await chmod(join(base, 'DEBIAN', script), 0o755);
  }
  const kibibytes = (await run('du', ['-sk', '--exclude=DEBIAN', base])).split('\t')[0];
  await writeFile(join(base, 'DEBIAN/control'), control({ version, debian, kibibytes: Number(kibibytes) }));
  await run('dpkg-deb', ['--build', '--root-owner-group', '-Zgzip', base, join(work, name)]);
  return join(work, name);
}

const control = ({ version, debian, kibibytes }: { version: string; debian: string; kibibytes: number }): string => `Package: skulk
Version: ${version}
Architecture: ${debian}
Maintainer: the skulk authors <skulk@localhost>
Installed-Size: ${kibibytes}
Depends: libc6 (>= 2.28), libstdc++6, adduser
Suggests: aria2
Section: net
Priority: optional
Description: one shared store of LLM models for a LAN
 One machine keeps the canonical copy of each model; the others get a verified
 local copy in seconds instead of downloading it again. The package has its own
 Node.js. The service is not started by the installation.
`;
