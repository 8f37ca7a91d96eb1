import { join } from 'node:path';
import { Type } from 'typebox';
import { parseSettingsText, readSettingsText } from './settings-document.ts';

/** Settings of one machine that are not in skulk.yaml; `$SKULK_HOME/machine.yaml`. */
export interface MachineSettings {
  /** Hosts, by name or address, to which this machine may send its token even if only mDNS knows them. */
  readonly tokenHosts: readonly string[];
}

/** The settings of one machine, in the format of the file. */
export const machineSchema = Type.Object(
  {
    token_hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: '^[^\\s/]+$' }), {
        maxItems: 100,
        description: 'Hosts that receive the token of this machine although their name is an mDNS name.',
      }),
    ),
  },
  { additionalProperties: false },
);

/**
 * Reads the settings of this machine; the defaults if there is no file.
 * @throws SkulkError CONFIG with the file, the line and the key
 */
export async function readMachineSettings(skulkHome: string): Promise<MachineSettings> {
  const path = join(skulkHome, 'machine.yaml');
  const text = await readSettingsText(path);
  if (text === undefined) return { tokenHosts: [] };
  return parseSettingsText(text, {
    path,
    schema: machineSchema,
    read: ({ token_hosts }) => ({ tokenHosts: (token_hosts as string[] | undefined) ?? [] }),
  });
}
