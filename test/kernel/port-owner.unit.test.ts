import { expect, test } from 'vitest';
import { nameProgram } from '../../src/core/kernel/process/port-owner.ts';

test.each([
  ['/usr/bin/node\0/usr/bin/skulk\0serve\0--port\x001\0', 'skulk serve'],
  ['/opt/node\0/opt/skulk/bin/skulk.js\0serve\0', 'skulk serve'],
  ['skulk\0serve\0', 'skulk serve'],
  ['/usr/bin/python3\0-m\0http.server\x008000\0', 'python3 -m http.server'],
  ['/usr/sbin/nginx\0', 'nginx'],
])('the command line %j is named %s', (line, name) => {
  expect(nameProgram(line)).toBe(name);
});
