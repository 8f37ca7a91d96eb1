import { constants } from 'node:fs';
import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { ownerOf } from '../kernel/machine/owner-of.ts';
import { identifyProcess, identifySelf, namespaceOf } from '../kernel/process/process-identity.ts';
import { decode } from '../protocol/decode.ts';
import { type ServeRecord, serveRecord } from '../protocol/machine.ts';
import { adminKeyFile, readAdminKey } from './admin-key.ts';

/** The file that names the running server of this machine. */
export const serveRecordFile = (skulkHome: string): string => join(skulkHome, 'serve.json');

/** Records that this process is serving. The returned function removes the record, unless another server has replaced it. */
export async function recordServer(
  skulkHome: string,
  server: Omit<ServeRecord, 'pid' | 'startTime' | 'namespaces'>,
): Promise<() => Promise<void>> {
  const { pid, startTime } = await identifySelf();
  const record: ServeRecord = { pid, startTime, namespaces: namespacesHere(), ...server };
  await writeFileDurably(serveRecordFile(skulkHome), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  return async () => {
    const now = await readRecord(skulkHome);
    if (now?.pid === pid && now.startTime === startTime) await rm(serveRecordFile(skulkHome), { force: true });
  };
}

/** The server of this machine, if the recorded process is still alive. */
export async function findServer(skulkHome: string): Promise<ServeRecord | undefined> {
  const record = await readRecord(skulkHome);
  if (record === undefined || record.startTime === '' || (await isForged(skulkHome))) return undefined;
  if (JSON.stringify(record.namespaces) !== JSON.stringify(namespacesHere())) return undefined;
  return (await identifyProcess(record.pid))?.startTime === record.startTime ? record : undefined;
}

/**
 * The key of this machine for a request to a URL, if this machine's running server answers there. It is sent to no other server.
 * @param url the requested URL; redirects from there must not be followed
 */
export async function keyFor(skulkHome: string, url: string): Promise<string | undefined> {
  const server = await findServer(skulkHome);
  if (server === undefined || !URL.canParse(url)) return undefined;
  const { origin, hostname } = new URL(url);
  // An address that the server had in another network may belong to another machine in this one.
  if (!isOwnAddress(hostname.replace(/^\[|\]$/g, ''))) return undefined;
  return server.urls.some((own) => URL.canParse(own) && new URL(own).origin === origin) ? readAdminKey(skulkHome) : undefined;
}

/** Whether a server may run whose record this user may not read. */
export const isRecordHidden = (skulkHome: string): Promise<boolean> =>
  access(serveRecordFile(skulkHome), constants.R_OK).then(
    () => false,
    (error: unknown) => isSystemError(error, 'EACCES', 'EPERM'),
  );

/** The record decides where the key is sent, so only the owner of the key, or root, may have written it. */
async function isForged(skulkHome: string): Promise<boolean> {
  const [writer, keeper] = await Promise.all([ownerOf(serveRecordFile(skulkHome)), ownerOf(adminKeyFile(skulkHome))]);
  return keeper !== undefined && writer !== 0 && writer !== keeper;
}

const namespacesHere = (): readonly (string | null)[] => [namespaceOf('pid') ?? null, namespaceOf('net') ?? null];

async function readRecord(skulkHome: string): Promise<ServeRecord | undefined> {
  try {
    return decode(serveRecord, JSON.parse(await readFile(serveRecordFile(skulkHome), 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
