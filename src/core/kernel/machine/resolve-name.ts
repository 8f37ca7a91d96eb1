import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** How long a command waits for the name service before it goes by the names alone, in milliseconds. */
const patienceMs = 1_000;

/** The addresses to which the system resolves a name; none when it does not know it, or does not say in time. */
export async function resolveName(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const late = new Promise<readonly string[]>((resolve) => void setTimeout(resolve, patienceMs, []).unref());
  const found = lookup(name, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  return await Promise.race([found, late]);
}
