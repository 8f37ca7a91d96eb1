import { prepareAdminKey } from '../../src/core/access/admin-key.ts';

/** The key of a machine as a server that has its ports keeps it. */
export async function ensureAdminKey(home: string, onReplaced: (path: string) => void = () => {}): Promise<string> {
  const { key, keep } = await prepareAdminKey(home, onReplaced);
  await keep();
  return key;
}
