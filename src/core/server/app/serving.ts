import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import type { Replacement } from '../../kernel/process/replace-process.ts';
import type { startAgent } from '../../operations/nodes/fleet-agent.ts';
import type { AccessOptions } from '../access/access.ts';
import type { ApiAppOptions } from './api-app.ts';

/** The input of `skulk serve`. */
export interface ServeRequest {
  readonly role: 'auto' | 'store' | 'node';
  /** The address to listen on; if absent, all addresses. */
  readonly host?: string;
  /** 0 selects a free one. */
  readonly port?: number;
  readonly apiPort?: number;
  readonly logLevel: string;
  /** The destination of the log; if absent, stderr, written at once. */
  readonly logStream?: { write(line: string): void };
  /** Whether to announce a store by mDNS, or search for one. */
  readonly mdns: boolean;
  /** Replaces the process of this server; if absent, a client cannot restart it. */
  readonly replacement?: Replacement;
  /** Loads the configuration as at the start. Throws what would end a new start. */
  readonly loadAgain?: () => Promise<unknown>;
  /** Serve the store that is there now, even if another one was served from there before. */
  readonly newStore?: boolean;
  /** Turn a directory with its content into the store. */
  readonly adoptDirectory?: boolean;
}

/** The common parts of the two roles. */
export interface Serving {
  readonly deps: Deps;
  readonly request: ServeRequest;
  readonly nodeId: NodeId;
  /** What gives the role admin on this machine. */
  readonly keys: Required<Pick<AccessOptions, 'adminKey' | 'pages'>>;
  /** The names of this machine beside its addresses. */
  readonly names: readonly string[];
  /** The URL for other machines of a local URL. */
  readonly outside: (url: string) => string;
  /** Opens an app's port, and closes it at the end. */
  readonly listenWith: (app: FastifyInstance, port: number) => Promise<{ readonly url: string; readonly port: number }>;
  /** The port of the API, after it is open. */
  readonly apiPort: () => number | undefined;
  /** Adds work for the end of the server; it runs in reverse order. */
  readonly atEnd: (work: () => Promise<unknown>) => void;
}

/** What a role provides for the API and the agent, which both roles have. */
export interface Served extends Pick<ApiAppOptions, 'deps' | 'link' | 'access' | 'administration' | 'activity' | 'hub' | 'copies'> {
  readonly storeUrl: string | null;
  readonly storePath: string | null;
  /** Aborts, with the reason, if another process has taken the store while this one was suspended. */
  readonly lost?: AbortSignal;
  /** The file server's local URL. */
  readonly localStoreUrl?: string;
  /** Waits for a store; undefined if there will be none. */
  readonly fleet: ((signal: AbortSignal) => Promise<Parameters<typeof startAgent>[1]['fleet']>) | undefined;
  /** Called when the API is ready. */
  readonly onReady?: () => Promise<void>;
}
