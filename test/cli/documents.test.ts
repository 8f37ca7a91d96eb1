import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePages, makeReference } from '../../src/cli/docs/pages.ts';
import { exitStatuses } from '../../src/cli/exits.ts';
import { commandLoaders } from '../../src/commands/index.ts';
import { errorCodes } from '../../src/core/kernel/errors.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { httpPage } from '../../tools/docs/http-page.ts';
import { listApi } from '../../tools/docs/list-api.ts';
import { withRoleTable } from '../../tools/docs/role-table.ts';
import { rooms } from '../../tools/rooms.ts';
import { runCli } from '../helpers/run-cli.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const root = new URL('../../', import.meta.url);
const skulk = (argv: readonly string[]) => runCli(argv, { cwd: '/' });

test('the pages in man/ match the command definitions, and package.json lists every page', async () => {
  const pages = await makePages(commandLoaders);
  expect(readdirSync(new URL('man/', root)).sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) expect(readFileSync(new URL(`man/${name}`, root), 'utf8'), name).toBe(text);
  const { man } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  expect([...man].sort()).toEqual([...pages.keys()].map((name) => `./man/${name}`).sort());
});

const docOf = (name: string): string => readFileSync(new URL(`docs/${name}`, root), 'utf8');

test('the generated pages of docs/ match the definitions and the routes', async () => {
  for (const [name, text] of await makeReference(commandLoaders)) expect(docOf(name), name).toBe(text);
  const servers = await listApi();
  expect(docOf('http.md')).toBe(httpPage(servers));
  expect(docOf('security.md')).toBe(withRoleTable(docOf('security.md'), servers));
  // Every row has a role, also for requests without a description, such as the page in the browser.
  for (const [port, { routes }] of Object.entries({ 58080: servers.store, 52415: servers.api }))
    for (const { method, url, role, isForWhatIsLeft } of routes) {
      // Requests that are always refused have no role.
      if (isForWhatIsLeft) continue;
      const shown = [url, url.replace(':org/:name', ':id')].map((one) => `\`${method === 'HEAD' ? 'GET' : method} ${one}\` |`);
      const rows = docOf('security.md').split('\n');
      const row = rows.find((line) => line.startsWith(`| ${role} |`) && shown.some((one) => line.includes(one)) && line.includes(port));
      expect(row, `${port} ${method} ${url} ${role}`).toBeDefined();
    }
});

test('the page on architecture names every room, and the page on disk files every path of both layouts', () => {
  for (const room of Object.keys(rooms)) expect(docOf('architecture.md'), room).toContain(`${room.split('/').at(-1)}`);
  const layouts = [storeLayout('/s'), stagingLayout('/s')].flatMap((layout) => Object.values<string>({ ...layout }));
  for (const path of layouts.filter((one) => one !== '/s'))
    expect(docOf('on-disk-format.md'), path).toMatch(new RegExp(`\\b${basename(path)}\\b`));
});

/** The anchors of a page, as GitHub makes them of its headings. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('links between pages of the repository lead to existing files and headings', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`)];
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(new URL(page, root), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?:|mailto:)/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = new URL(path === '' ? page : path, path === '' ? root : new URL(page, root));
      expect(existsSync(file), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(file, 'utf8')), `${page}: ${target}`).toContain(anchor);
    }
  }
});

test('the documented exit statuses are those of the errors', () => {
  const named = new Set(Object.values(exitStatuses).map(([status]) => String(status)));
  for (const { exit } of Object.values(errorCodes))
    expect(exit >= 128 ? '130, 143' : String(exit)).toSatisfy((status: string) => named.has(status));
});

describe('completion', () => {
  test('of bash is a script that completes verbs, flags and choices', async () => {
    const { stdout } = await skulk(['completion', 'bash']);
    execFileSync('bash', ['-n'], { input: stdout });
    const complete = (...words: string[]): string[] => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _skulk; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
    };
    expect(complete('skulk', 'sta')).toEqual(['stage', 'staging']);
    expect(complete('skulk', '--json', 'stage', '--dr')).toEqual(['--dry-run']);
    expect(complete('skulk', 'serve', '--role', 's')).toEqual(['store']);
    expect(complete('skulk', 'config', 'v')).toEqual(['validate']);
    expect(complete('skulk', 'rm', '--dr')).toEqual(['--dry-run']);
  });

  test('of bash offers models, quantizations, nodes and tags at their positions', async () => {
    const home = await temporaryDirectory();
    const bin = join(home, 'skulk');
    // It answers with its own arguments, as the words of a list.
    writeFileSync(bin, '#!/bin/sh\necho "$4$2 $4"\n', { mode: 0o755 });
    const { stdout } = await skulk(['completion', 'bash']);
    const complete = (line: string): string => {
      // Bash itself divides words at colons and equals signs.
      const words = line.split(/(?<=[:=])|(?=[:=])| /).map((word) => `'${word}'`);
      const set = `COMP_WORDS=('${bin}' ${words.join(' ')}); COMP_CWORD=${words.length}; COMP_LINE='skulk ${line}'; COMP_POINT=\${#COMP_LINE}`;
      const script = `cd '${home}'; COMP_WORDBREAKS=' :='; ${stdout}\n${set}; _skulk; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim();
    };
    expect(complete('stage org/')).toBe('org/models org/');
    expect(complete('stage a/b org/')).toBe('org/models org/');
    expect(complete('show org/x:Q')).toBe('Qmodels org/x:Q');
    expect(complete('delete org/x:Q4 org/y:Q')).toBe('Qmodels org/y:Q');
    expect(complete('rm org/y:Q')).toBe('Qmodels org/y:Q');
    expect(complete('ls --tag vi')).toBe('vitags vi');
    expect(complete('purge-staging --node ki')).toBe('kimodels ki'.replace('models', 'nodes'));
    expect(complete('registry --tag vi')).toBe('vitags vi');
    expect(complete('run org/x:Q4 -- sk')).toBe('skulk');
    expect(complete('purge-staging --node=ki')).toBe('kinodes ki');
    expect(complete('purge-staging --node=')).toBe('nodes');
    expect(complete('purge-staging --node=kite3 org/')).toBe('org/models org/');
    expect(complete('purge-staging --model=org/x:Q')).toBe('Qmodels org/x:Q');
    // No file is offered where no file is accepted.
    for (const line of ['show org/x sk', 'health sk', 'staging sk', 'config show sk', 'config show p', 'policy set s', 'token revoke sk'])
      expect(complete(line), line).toBe('');
    expect(complete('add sk')).toBe('skulk');
  });

  test.each(['zsh', 'fish'])('of %s names every verb', async (shell) => {
    const { status, stdout } = await skulk(['completion', shell]);
    expect(status).toBe(0);
    for (const verb of Object.keys(commandLoaders)) expect(stdout).toContain(verb);
  });

  test('of another shell is refused', async () => {
    expect(await skulk(['completion', 'tcsh'])).toMatchObject({ status: 2, stdout: '' });
  });
});
