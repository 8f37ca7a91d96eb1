import type { FastifyInstance } from 'fastify';
import { findServer } from '../../access/serve-record.ts';
import type { Settings } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { askUsualPorts } from '../../connect/usual-ports.ts';
import { SkulkError, systemCode } from '../../kernel/errors.ts';
import { findPortOwner, type PortOwner } from '../../kernel/process/port-owner.ts';

/**
 * Opens an app's port; 0 selects a free one.
 * @returns its address on this machine, and the port
 * @throws SkulkError PORT_IN_USE with the program that has it, PERMISSION for a port that this user may not open, CONFIG for an address
 * of another machine
 */
export async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<{ url: string; port: number }> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw await explainListenError(error, { host, port });
  }
  const address = app.server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${reachable(host)}:${taken}`, port: taken };
}

/** Names the server of this machine if it has the port of a failed `listen`. Returns other errors unchanged. */
export async function nameOwnServer(skulkHome: string, error: unknown, port: number): Promise<unknown> {
  if (!(error instanceof SkulkError) || error.code !== 'PORT_IN_USE') return error;
  const server = await findServer(skulkHome);
  if (server === undefined || !server.urls.some((url) => new URL(url).port === String(port))) return error;
  return new SkulkError(
    'PORT_IN_USE',
    `port ${port} is taken by \`skulk serve\` (pid ${server.pid}), which already answers at ${server.apiUrl}`,
    {
      hint: `use that server, or stop it first: kill ${server.pid}, or stop its service`,
      cause: error,
    },
  );
}

/** Says that a store already runs at the port of a failed `listen`, e.g. of another user. Returns other errors unchanged. */
export async function nameOtherStore(deps: Deps, error: unknown, port: number): Promise<unknown> {
  if (!(error instanceof SkulkError) || error.code !== 'PORT_IN_USE') return error;
  const [store] = await askUsualPorts(deps, '127.0.0.1', [port]);
  if (store === undefined) return error;
  return new SkulkError('PORT_IN_USE', error.message, {
    hint: `a skulk store already runs at ${store.url}, and no second one is needed; \`skulk serve --role node\` makes this machine a node of it; \`--port N\` starts another store`,
    cause: error,
  });
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function explainListenError(error: unknown, { host, port }: { host: string; port: number }): Promise<unknown> {
  switch (systemCode(error)) {
    case 'EADDRINUSE': {
      const owner = await findPortOwner(port);
      const choose =
        'choose another with `--port N` (or `--api-port N`), let the system choose with 0, or set `store_port` (`api_port`) in skulk.yaml';
      const reserve = `Linux also uses port 58080 for outgoing connections; \`sysctl -w net.ipv4.ip_local_reserved_ports=${port}\` reserves it`;
      return new SkulkError('PORT_IN_USE', `port ${port} is taken ${describeOwner(owner)}`, {
        hint: owner?.isListening === true ? choose : `${choose}. ${reserve}`,
        cause: error,
      });
    }
    case 'EACCES':
      return new SkulkError('PERMISSION', `this user may not open port ${port}`, {
        hint: 'choose a port above 1023',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SkulkError('CONFIG', `${JSON.stringify(host)} is not an address of this machine`, {
        hint: 'omit --host to listen on every address',
        cause: error,
      });
    default:
      return error;
  }
}

function describeOwner(owner: PortOwner | undefined): string {
  if (owner === undefined) return 'by another program';
  const who =
    owner.pid === undefined ? 'another program (of another user, or already gone)' : `${nameOf(owner.program)} (pid ${owner.pid})`;
  return owner.isListening ? `by ${who}` : `by an outgoing connection of ${who}, which may end at any moment`;
}

const nameOf = (program: string | undefined): string =>
  program === undefined ? 'a program' : program.startsWith('skulk ') ? `\`${program}\`` : program;

/** @throws SkulkError USAGE if a flag gives one server the port of the other, which would be reported as taken */
export function requireTwoPorts(
  { port, apiPort }: { readonly port?: number | undefined; readonly apiPort?: number | undefined },
  settings: Pick<Settings, 'storePort' | 'apiPort'>,
): void {
  const wanted = port ?? settings.storePort.value;
  if (wanted === 0 || wanted !== (apiPort ?? settings.apiPort.value)) return;
  throw new SkulkError('USAGE', `the file server and the API cannot both use port ${wanted}`, {
    hint: 'use two different ports: --port for the file server, --api-port for the API',
  });
}
