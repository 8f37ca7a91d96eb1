/** Writes man/ and the generated pages of docs/; with `--check` only prints the differences (exit status 1). Run by `npm run docs`. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { makePages, makeReference } from '../src/cli/docs/pages.ts';
import { commandLoaders } from '../src/commands/index.ts';
import { httpPage } from './docs/http-page.ts';
import { listApi } from './docs/list-api.ts';
import { withRecipeLines } from './docs/recipe-lines.ts';
import { withRoleTable } from './docs/role-table.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const isCheck = process.argv.includes('--check');
const textOf = (path: string): Promise<string | undefined> => readFile(`${root}${path}`, 'utf8').catch(() => undefined);

const servers = await listApi();
const recipes = (await readdir(`${root}docs/recipes`)).filter((name) => name.endsWith('.md')).map((name) => `docs/recipes/${name}`);
/** By path; undefined for a page that is not generated any more. */
const wanted = new Map<string, string | undefined>([
  // man/ contains only man pages.
  ...(await readdir(`${root}man`).catch((): string[] => [])).map((name) => [`man/${name}`, undefined] as const),
  ...[...(await makePages(commandLoaders))].map(([name, page]) => [`man/${name}`, page] as const),
  ...[...(await makeReference(commandLoaders))].map(([name, page]) => [`docs/${name}`, page] as const),
  ['docs/http.md', httpPage(servers)],
  ['docs/security.md', withRoleTable((await textOf('docs/security.md')) ?? '', servers)],
  ...(await Promise.all(recipes.map(async (path) => [path, withRecipeLines((await textOf(path)) ?? '')] as const))),
]);

await mkdir(`${root}man`, { recursive: true });
for (const [path, page] of wanted) {
  if ((await textOf(path)) === page) continue;
  if (isCheck) {
    process.stderr.write(`${path} is not what the code says; run: npm run docs\n`);
    process.exitCode = 1;
  } else if (page === undefined) await rm(`${root}${path}`);
  else await writeFile(`${root}${path}`, page);
}
