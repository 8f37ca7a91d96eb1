import { chmod, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { createSerialQueue } from '../kernel/flow/serial-queue.ts';
import { ownerOf } from '../kernel/machine/owner-of.ts';
import { acquireLock } from '../kernel/process/lock.ts';
import type { Role } from '../kernel/role.ts';
import { digestOf, isSameDigest, makeSecret } from '../kernel/secret.ts';
import { type KeptToken, type NamedToken, tokenFile, tokenNamePattern } from '../protocol/access.ts';
import { decode } from '../protocol/decode.ts';

/** The named tokens of a store. Only their hashes are saved. */
export interface TokenBook {
  /** Finds the entry of a token; undefined if there is none. Changes by other processes count at once. */
  find(token: string): Promise<NamedToken | undefined>;
  list(): Promise<readonly NamedToken[]>;
  /**
   * Creates a token, which is only shown once.
   * @throws SkulkError CONFLICT if the name is in use, CONFIG if the file is invalid
   */
  create(wanted: { readonly name: string; readonly role: Role }): Promise<NamedToken & { readonly token: string }>;
  /** @throws SkulkError NOT_FOUND */
  revoke(name: string): Promise<NamedToken>;
}

/** The tokens that another process created and revoked. */
export interface TokensChange {
  readonly created: readonly NamedToken[];
  readonly revoked: readonly NamedToken[];
}

/** The prefix of every named token. */
const prefix = 'skulk_';
const namePattern = new RegExp(tokenNamePattern);
const maxTokens = 1_000;
const waitMs = 10_000;

/** Validates names of tokens. @throws SkulkError BAD_REQUEST */
export function parseTokenName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new SkulkError('BAD_REQUEST', `${JSON.stringify(name.slice(0, 80))} is not a valid token name`, {
    hint: 'use at most 64 letters, digits, ".", "_" and "-", e.g. laptop',
  });
}

/**
 * The named tokens in a file, which may not exist yet.
 * @param lock the directory of the lock for changing it
 */
export function openTokenBook({
  file,
  lock,
  signal,
  now = () => new Date(),
  onChange,
}: {
  readonly file: string;
  readonly lock: string;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
  /** Called with the changes of another process, at the next read after the first one. */
  readonly onChange?: (change: TokensChange) => void;
}): TokenBook {
  let known: { readonly stamp: string; readonly tokens: readonly KeptToken[] } | undefined;
  let reported: readonly KeptToken[] | undefined;
  /** The digests of the tokens that this process is creating and revoking. */
  const own = new Set<string>();
  const notify = (tokens: readonly KeptToken[]): void => {
    const before = reported ?? tokens;
    reported = tokens;
    const without = (all: readonly KeptToken[], some: readonly KeptToken[]): readonly NamedToken[] =>
      all.filter(({ sha256 }) => !own.has(sha256) && some.every((one) => one.sha256 !== sha256)).map(shown);
    const [created, revoked] = [without(tokens, before), without(before, tokens)];
    if (created.length + revoked.length > 0) onChange?.({ created, revoked });
  };
  const readNow = async (): Promise<readonly KeptToken[]> => {
    const stamp = await stampOf(file);
    if (known?.stamp === stamp) return known.tokens;
    if (stamp !== '') await refuseStranger(file);
    known = { stamp, tokens: stamp === '' ? [] : parseTokens(await readFile(file, 'utf8'), file) };
    // A disconnected disk does not change its tokens.
    if (stamp !== '' || (await stampOf(dirname(file))) !== '') notify(known.tokens);
    return known.tokens;
  };
  // One after the other, so that an earlier read never ends after a later one.
  const reads = createSerialQueue();
  const read = (): Promise<readonly KeptToken[]> => reads.run(readNow);
  const change = async <T>(
    work: (tokens: readonly KeptToken[]) => { readonly tokens: readonly KeptToken[]; readonly changed: KeptToken; readonly result: T },
  ): Promise<T> => {
    await using _ = await acquireLock(lock, { purpose: 'a change of the tokens', timeoutMs: waitMs, signal });
    known = undefined;
    const { tokens, changed, result } = work(await read());
    own.add(changed.sha256);
    try {
      await writeFileDurably(file, `${JSON.stringify({ tokens }, undefined, 2)}\n`, { mode: 0o600 });
      await chmod(file, 0o600);
      known = undefined;
      await read().catch(() => undefined);
    } finally {
      own.delete(changed.sha256);
    }
    return result;
  };
  return {
    find: async (token) => {
      if (!token.startsWith(prefix)) return undefined;
      const digest = digestOf(token);
      const found = (await read()).find(({ sha256 }) => isSameDigest(sha256, digest));
      return found && shown(found);
    },
    list: async () => (await read()).map(shown),
    create: async ({ name, role }) => {
      parseTokenName(name);
      const token = `${prefix}${makeSecret()}`;
      const kept: KeptToken = { name, role, created_at: now().toISOString(), sha256: digestOf(token) };
      return change((tokens) => {
        if (tokens.some((one) => one.name === name))
          throw new SkulkError('CONFLICT', `a token called ${name} already exists`, {
            hint: `choose another name, or run \`skulk token revoke ${name}\` first`,
          });
        if (tokens.length >= maxTokens)
          throw new SkulkError('CONFLICT', `there are already ${tokens.length} tokens`, { hint: 'revoke the ones you do not use' });
        return { tokens: [...tokens, kept], changed: kept, result: { ...shown(kept), token } };
      });
    },
    revoke: (name) =>
      change((tokens) => {
        const found = tokens.find((one) => one.name === name);
        if (found === undefined)
          throw new SkulkError('TOKEN_NOT_FOUND', `there is no token called ${JSON.stringify(name.slice(0, 80))}`, {
            hint: '`skulk token list` lists all tokens',
          });
        return { tokens: tokens.filter((one) => one !== found), changed: found, result: shown(found) };
      }),
  };
}

/** The store may be in a directory in which others can write, and the writer of this file can take any role. */
async function refuseStranger(file: string): Promise<void> {
  const self = process.geteuid?.();
  const owner = await ownerOf(file);
  // The owner of the directory could replace the file anyway; for root, that is the user of the store.
  const trusted = [0, self, await ownerOf(dirname(file))];
  if (self === undefined || owner === undefined || trusted.includes(owner)) return;
  throw new SkulkError('CONFIG', `${file} belongs to uid ${owner}, so named tokens are not accepted`, {
    hint: 'if you trust its content, make the user that runs `skulk serve` its owner; otherwise remove it and create the tokens again',
  });
}

const shown = ({ name, role, created_at }: KeptToken): NamedToken => ({ name, role, created_at });

/** Changes when the file is replaced or gets another owner; empty if there is none. */
async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino, uid } = await stat(file, { bigint: true });
    return `${mtimeNs} ${size} ${ino} ${uid}`;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}

function parseTokens(text: string, file: string): readonly KeptToken[] {
  try {
    const value: unknown = JSON.parse(text);
    const found = decode(tokenFile, value);
    // Fields of a newer version are kept when the file is written.
    if (found !== undefined) return found.tokens.map((token, index) => ({ ...(value as typeof found).tokens[index], ...token }));
  } catch {
    // Reported below.
  }
  throw new SkulkError('CONFIG', `${file} is corrupt, so named tokens are not accepted`, {
    hint: 'restore it from a backup, or remove it and create the tokens again',
  });
}
