import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMachineSettings } from '../../src/core/config/machine-settings.ts';
import { usualMachine } from '../../src/core/config/settings.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a machine without machine.yaml has the defaults, and one with it has the values of the file', async () => {
  const home = await temporaryDirectory();
  expect(await readMachineSettings(home)).toEqual(usualMachine);
  expect(await readMachineSettings(join(home, 'nowhere'))).toEqual(usualMachine);
  await writeFile(join(home, 'machine.yaml'), '# of this machine\ntoken_hosts: [nas.local, 192.168.1.10]\nsecond_stores: [10.0.0.2]\n');
  const own = { tokenHosts: ['nas.local', '192.168.1.10'], secondStores: ['10.0.0.2'] };
  expect(await readMachineSettings(home)).toEqual({ ...usualMachine, ...own });
  await writeFile(join(home, 'machine.yaml'), '# nothing yet\n');
  expect(await readMachineSettings(home)).toEqual(usualMachine);
});

test.each([
  ['20M', 20 * 1024 ** 2],
  ['5000', 5000],
  ['0', undefined],
])('an upload limit of %s in machine.yaml is %s bytes a second', async (text, uploadLimit) => {
  const home = await temporaryDirectory();
  await writeFile(join(home, 'machine.yaml'), `swarm:\n  port: 40000\n  upload_limit: ${text}\n`);
  expect(await readMachineSettings(home)).toEqual({ ...usualMachine, swarm: { isEnabled: true, port: 40_000, uploadLimit } });
});

test.each([
  ['an unknown key', '\ntoken_host: [a]\n', 'machine.yaml:2: token_host is not known', 'did you mean "token_hosts"?'],
  ['a wrong type', 'token_hosts: nas.local\n', 'machine.yaml:1: token_hosts must be an array', 'correct that line'],
  ['a URL for a host', 'token_hosts: ["http://a"]\n', 'machine.yaml:1: token_hosts', 'correct that line'],
  [
    'a wrong upload limit',
    'swarm:\n  upload_limit: fast\n',
    'machine.yaml:2: swarm.upload_limit must be an integer or a size such as 500M or 20MiB',
    'correct that line',
  ],
  ['no mapping', '- a\n', 'machine.yaml:1: it must be a mapping', 'correct the file'],
  ['no YAML', 'token_hosts: [\n', 'not YAML', 'correct that line'],
])('machine.yaml with %s is refused with the file, the line and a hint', async (_, text, says, hint) => {
  const home = await temporaryDirectory();
  await writeFile(join(home, 'machine.yaml'), text);
  await expect(readMachineSettings(home)).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining(says),
    hint: expect.stringContaining(hint),
  });
});
