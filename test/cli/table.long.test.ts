import { expect, test } from 'vitest';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

test('a table with long names does not wrap on a terminal of 80 columns, and is complete in a pipe', wants('tmux'), async () => {
  const name = `mlx-community/${'a-very-long-name-'.repeat(5)}4bit`;
  const { url } = await serveModels({ [name]: { 'config.json': '{}' }, 'org/m': { a: 'a' } });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url };
  const piped = await runSkulk(['registry'], { env });
  expect(piped.stdout).toContain(`${name} `);
  expect(piped.stdout).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  const terminal = await openTerminal({ env, columns: 80 });
  await terminal.enter('skulk registry; echo end');
  const screen = await terminal.sees(/^end$/m);
  const lines = screen.slice(screen.indexOf('MODEL'), screen.search(/^end$/m)).trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^mlx-community\/.*….*-name-4bit +2 B +1 +\d+ mo ago/);
  // A time outside of a table is an age there, too.
  await terminal.enter('clear; skulk show org/m; echo again');
  await terminal.sees(/^again$/m, /^added +\d+ mo ago/m);
  expect((await runSkulk(['show', 'org/m'], { env })).stdout).toMatch(/^added +\d{4}-\d\d-\d\dT/m);
});
