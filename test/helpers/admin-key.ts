import { type KeyNews, prepareAdminKey } from '../../src/core/access/admin-key.ts';

/** The key of a machine as a server that has its ports keeps it. */
export async function ensureAdminKey(home: string, tell: (path: string, news: KeyNews) => void = () => {}): Promise<string> {
  const { key, keep } = await prepareAdminKey(home, tell);
  await keep();
  return key;
}
