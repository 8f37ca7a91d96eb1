import { defineCommand } from '../cli/definition.ts';

/** `skulk upgrade`: show how to upgrade this skulk. */
export const upgrade = defineCommand({
  name: 'upgrade',
  summary: 'print how to upgrade this installation of skulk',
  description: [
    'Prints the commands that replace this skulk with a newer release, for the way in which it was installed: an archive, the Debian package, npm, or a clone. It changes nothing and asks no server.',
    'Replace the words in capital letters as its last line says. Store, staged copies, keys and configuration do not change.',
  ],
  examples: [
    ['print the commands', 'skulk upgrade'],
    ['print only how skulk was installed', 'skulk upgrade --json | jq -r .method'],
  ],
  exits: [],
  run: async (_, context) => {
    const { ownDirectory } = await import('../core/kernel/process/own-process.ts');
    const { findInstallation } = await import('../core/operations/service/find-installation.ts');
    const found = await findInstallation(ownDirectory());
    // The Debian package restarts a running service itself. A clone has no skulk on the PATH.
    const restart = found.method === 'deb' ? null : `${found.method === 'clone' ? 'npx ' : ''}skulk service restart`;
    return { version: context.world.version, ...found, restart };
  },
  text: ({ version, method, directory, commands, restart }) => [
    `skulk ${version}, installed as ${names[method]} in ${directory}`,
    'to upgrade:',
    ...[
      ...commands,
      ...(restart === null ? [] : [`${restart}   # where a server runs as a service; else end \`skulk serve\` and start it again`]),
    ].map((line) => `  ${line}`),
    ...placeholders[method],
  ],
});

/** The meaning of the words in capital letters. */
const placeholders = {
  archive: ['RELEASE is the directory of the new release: `npm run release` in a clone of the new version writes it as release/'],
  deb: ['VERSION and ARCHITECTURE are those of the new package: `npm run release` in a clone of the new version writes it to release/'],
  npm: ['VERSION is that of the new package: `npm pack` in a clone of the new version writes it'],
  clone: [],
} as const;

const names = { archive: 'an archive', deb: 'a Debian package', npm: 'an npm package', clone: 'a clone' } as const;
