import type { LookupAddress } from 'node:dns';
import dns from 'node:dns/promises';
import { isIP } from 'node:net';

/** How long a command waits for the name service before it compares only the names, in milliseconds. */
const patienceMs = 1_000;

/** A question to the system's name service that has no answer yet. */
export interface NameQuestion {
  /** Every address of the name, or the system's error. */
  readonly answer: Promise<readonly LookupAddress[]>;
  /** By the monotonic clock, in milliseconds. */
  readonly askedAt: number;
}

const open = new Map<string, NameQuestion>();

/**
 * Asks the system's name service for the addresses of a name. It may take many seconds, and a question occupies a thread until it is
 * answered, so there is one at a time for each name.
 */
export function askNameService(name: string): NameQuestion {
  const known = open.get(name);
  if (known !== undefined) return known;
  const answer = dns.lookup(name, { all: true }).finally(() => open.delete(name));
  answer.catch(() => undefined);
  const question = { answer, askedAt: performance.now() };
  open.set(name, question);
  return question;
}

/** Resolves after a time that began with the question, without keeping the process alive. */
export function waitedFor({ askedAt }: NameQuestion, ms: number): Promise<void> {
  const rest = askedAt + ms - performance.now();
  return new Promise((resolve) => void setTimeout(resolve, Math.max(0, rest)).unref());
}

/** Resolves a name to its addresses. Returns an empty list for an unknown name, and if the name service does not answer in time. */
export async function resolveName(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const question = askNameService(name);
  const found = question.answer.then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  return await Promise.race([found, waitedFor(question, patienceMs).then(() => [])]);
}
