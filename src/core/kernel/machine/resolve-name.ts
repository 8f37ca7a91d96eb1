import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** How long a command waits for the name service before it compares only the names, in milliseconds. */
const patienceMs = 1_000;

/** Resolves a name to its addresses. Returns an empty list for an unknown name, and if the name service does not answer in time. */
export async function resolveName(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const late = new Promise<readonly string[]>((resolve) => void setTimeout(resolve, patienceMs, []).unref());
  const found = lookup(name, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  return await Promise.race([found, late]);
}
