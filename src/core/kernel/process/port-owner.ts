import { readdir, readFile, readlink } from 'node:fs/promises';

/** The program that holds a TCP port, as far as this user can see it. */
export interface PortOwner {
  /** False: it is the local port of an outgoing connection of that program. */
  readonly isListening: boolean;
  /** The user of the socket, which is visible for every program. */
  readonly uid: number;
  readonly pid: number | undefined;
  readonly program: string | undefined;
}

/** Finds the holder of a port in /proc; undefined without /proc, or if the port is free by now. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')));
  const sockets = tables.flatMap((table) => parseSocketTable(table, port));
  const socket = sockets.find(({ isListening }) => isListening) ?? sockets[0];
  if (socket === undefined) return undefined;
  const pid = socket.inode === '0' ? undefined : await findHolder(socket.inode);
  const program = pid === undefined ? undefined : await readFile(`/proc/${pid}/cmdline`, 'utf8').then(nameProgram, () => undefined);
  return { isListening: socket.isListening, uid: socket.uid, pid, program };
}

/** The program in a command line of /proc; of skulk without the interpreter that runs it. Pure. */
export function nameProgram(commandLine: string): string {
  const words = commandLine.split('\0').map((word) => word.slice(word.lastIndexOf('/') + 1));
  const at = words.findIndex((word) => word === 'skulk' || word === 'skulk.js');
  return (at === 0 || at === 1 ? ['skulk', ...words.slice(at + 1, at + 2)] : words.slice(0, 3)).join(' ').trim();
}

/** The sockets in a /proc/net/tcp table with this local port. Source: proc_net_tcp in the kernel's documentation. Pure. */
export function parseSocketTable(
  table: string,
  port: number,
): readonly { readonly inode: string; readonly uid: number; readonly isListening: boolean }[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns.length > 9)
    .map((columns) => ({ inode: columns[9] ?? '0', uid: Number(columns[7]), isListening: columns[3] === '0A' }));
}

async function findHolder(inode: string): Promise<number | undefined> {
  const wanted = `socket:[${inode}]`;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    // The open files of other users' processes are not visible.
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
    if (links.includes(wanted)) return Number(pid);
  }
  return undefined;
}
