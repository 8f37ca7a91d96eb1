import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './raw-http.ts';
import type { Served } from './spawn-skulk.ts';

/** The key of the machine that a server runs on. */
export const adminKeyOf = async (home: string): Promise<string> => (await readFile(join(home, 'admin-key'), 'utf8')).trim();

/** The address of a page, with a code in it that gives the tab the role admin; what `skulk key` prints. */
export async function pageLink({ apiUrl, home }: Pick<Served, 'apiUrl' | 'home'>, path = '/'): Promise<string> {
  const headers = { Authorization: `Bearer ${await adminKeyOf(home)}` };
  const { code } = (await ask(apiUrl, '/session/codes', { method: 'POST', headers })).json() as { code: string };
  return `${apiUrl}${path}#code=${code}`;
}
