import { configTemplate } from '../../core/config/template.ts';
import { configDescription, configKeys, configVariables, machineKeys, policyFileKeys } from './config-keys.ts';
import { fenced, plain, table } from './markdown.ts';

/** `docs/configuration.md`: the three files of settings and the environment, generated from their schemas. */
export function configurationPage(): string {
  const keyTable = (keys: typeof configKeys): readonly string[] =>
    table(
      ['key', 'what it sets'],
      keys.map(([key, notes]) => [`\`${key}\``, plain(notes)]),
    );
  return `${[
    '# Configuration',
    '',
    'This page is generated from the schemas of the files (`npm run docs`). `man 5 skulk-config` contains the first part too.',
    '',
    '## skulk.yaml',
    '',
    ...configDescription.flatMap((paragraph) => [plain(paragraph), '']),
    ...keyTable(configKeys),
    '',
    'An example:',
    '',
    ...fenced('yaml', configTemplate({ storeHost: 'mac-studio-1', storePath: '/Volumes/ModelStore/models' }).trimEnd().split('\n')),
    '',
    '## policy.yaml',
    '',
    'Settings of a store, in `<store_path>/.skulk/v1/policy.yaml`. `skulk policy set KEY VALUE` changes them, `skulk policy show` lists them.',
    'An unknown key is an error. A server reads the file again when it changes; a file that is not valid changes nothing.',
    '',
    ...keyTable(policyFileKeys),
    '',
    '## machine.yaml',
    '',
    'Settings of one machine, in `$SKULK_HOME/machine.yaml`. It is written by hand, and read at the start of every command.',
    '',
    ...keyTable(machineKeys),
    '',
    '## Environment',
    '',
    ...table(
      ['variable', 'what it sets'],
      configVariables.map(([name, means]) => [`\`${name}\``, plain(means)]),
    ),
  ].join('\n')}\n`;
}
