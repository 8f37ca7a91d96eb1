import { configTemplate } from '../../core/config/template.ts';
import { configDescription, configKeys, configVariables } from './config-keys.ts';
import { block, entry, escapeRoff, heading, paragraphs, title } from './roff.ts';

/** The man page of the configuration file. */
export function configPage(): string {
  return `${[
    title('skulk-config', 5),
    heading('name'),
    escapeRoff('skulk-config - the configuration file of skulk'),
    heading('description'),
    ...paragraphs(configDescription),
    heading('keys'),
    ...configKeys.flatMap(([key, notes]) => entry(key, notes)),
    heading('environment'),
    ...configVariables.flatMap(([name, means]) => entry(name, means)),
    heading('example'),
    ...block(configTemplate({ storeHost: 'mac-studio-1', storePath: '/Volumes/ModelStore/models' }).trimEnd().split('\n')),
    heading('see also'),
    escapeRoff('skulk(1), skulk-config(1)'),
  ].join('\n')}\n`;
}
