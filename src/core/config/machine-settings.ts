import { join } from 'node:path';
import { Type } from 'typebox';
import { textFormats } from '../kernel/text-format.ts';
import { parseByteCount } from '../kernel/units.ts';
import { type MachineSettings, usualMachine } from './settings.ts';
import { parseSettingsText, readSettingsText } from './settings-document.ts';

/** The settings of one machine, in the format of the file. */
export const machineSchema = Type.Object(
  {
    token_hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: textFormats.hostOrAddress.pattern }), {
        maxItems: 100,
        description: 'Hosts that receive the token of this machine although their name is an mDNS name.',
      }),
    ),
    swarm: Type.Optional(
      Type.Object(
        {
          enabled: Type.Optional(
            Type.Boolean({
              default: usualMachine.swarm.isEnabled,
              description: 'Whether this machine shares models with other nodes, if the store allows it.',
            }),
          ),
          port: Type.Optional(
            Type.Integer({
              minimum: 1024,
              maximum: 65_535,
              default: usualMachine.swarm.port,
              description: 'The first port for other nodes. If it is in use, one of the next 100.',
            }),
          ),
          upload_limit: Type.Optional(
            Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: textFormats.size.pattern, maxLength: 20 })], {
              default: 0,
              description: 'Maximum rate of data sent to other nodes, in bytes per second, e.g. 20M. 0: no limit.',
            }),
          ),
        },
        { additionalProperties: false, description: 'How this machine shares models with other nodes.' },
      ),
    ),
    second_stores: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 2000, pattern: textFormats.oneWord.pattern }), {
        maxItems: 8,
        description: 'Stores to read from, in order, while the configured store cannot be reached; e.g. http://192.168.1.11:58080.',
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
  if (text === undefined) return usualMachine;
  return parseSettingsText(text, {
    path,
    schema: machineSchema,
    read: ({ token_hosts, second_stores, swarm }) => ({
      secondStores: (second_stores as string[] | undefined) ?? usualMachine.secondStores,
      tokenHosts: (token_hosts as string[] | undefined) ?? usualMachine.tokenHosts,
      swarm: readSwarm((swarm as Readonly<Record<string, unknown>> | undefined) ?? {}),
    }),
  });
}

function readSwarm({ enabled, port, upload_limit: limit }: Readonly<Record<string, unknown>>): MachineSettings['swarm'] {
  const { swarm: usual } = usualMachine;
  // A limit below one byte means no limit, as in aria2.
  const uploadLimit = limit === undefined ? undefined : parseByteCount(String(limit)) || undefined;
  return {
    isEnabled: (enabled as boolean | undefined) ?? usual.isEnabled,
    port: (port as number | undefined) ?? usual.port,
    uploadLimit,
  };
}
