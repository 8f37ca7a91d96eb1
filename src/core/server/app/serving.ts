import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import type { startAgent } from '../../operations/nodes/fleet-agent.ts';
import type { AccessOptions } from '../access/access.ts';
import type { ApiAppOptions } from './api-app.ts';

/** What `skulk serve` takes. */
export interface ServeRequest {
  readonly role: 'auto' | 'store' | 'node';
  /** Address to listen on; every one when absent. */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  readonly apiPort?: number;
  readonly logLevel: string;
  /** Where it logs; stderr, written at once, when absent. */
  readonly logStream?: { write(line: string): void };
  /** Whether a store is announced by mDNS, or looked for. */
  readonly mdns: boolean;
  /** Serve the store that lies there now, whatever was served from there before. */
  readonly newStore?: boolean;
  /** Make a directory the store with what lies in it. */
  readonly adoptDirectory?: boolean;
}

/** What the two roles have in common. */
export interface Serving {
  readonly deps: Deps;
  readonly request: ServeRequest;
  readonly nodeId: NodeId;
  /** What gives the role admin on this machine. */
  readonly keys: Required<Pick<AccessOptions, 'adminKey' | 'pages'>>;
  /** What this machine is called beside its addresses. */
  readonly names: readonly string[];
  /** The URL at which other machines reach what answers at a URL of this one. */
  readonly outside: (url: string) => string;
  /** Opens an app's port and has it closed at the end. */
  readonly listenWith: (app: FastifyInstance, port: number) => Promise<{ readonly url: string; readonly port: number }>;
  /** Where the API listens, once it does. */
  readonly apiPort: () => number | undefined;
  /** Has something done when the server ends, before what was started earlier is ended. */
  readonly atEnd: (work: () => Promise<unknown>) => void;
}

/** What a role gives to the API and the agent, which both have. */
export interface Served extends Pick<ApiAppOptions, 'deps' | 'link' | 'access' | 'administration' | 'hub' | 'copies'> {
  readonly storeUrl: string | null;
  readonly storePath: string | null;
  /** Aborts, with the reason, when another process has taken the store, as this one was suspended. */
  readonly lost?: AbortSignal;
  /** Where the file server answers on this machine. */
  readonly localStoreUrl?: string;
  /** Waits for a store; undefined where there will be none. */
  readonly fleet: ((signal: AbortSignal) => Promise<Parameters<typeof startAgent>[1]['fleet']>) | undefined;
  /** To be done when the API answers. */
  readonly onReady?: () => Promise<void>;
}
