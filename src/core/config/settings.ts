/** The source of an effective value. */
export type Origin =
  | { readonly from: 'default' }
  | { readonly from: 'file'; readonly file: string; readonly line: number | undefined; readonly key: string }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'flag'; readonly name: string };

/** The prefix `FILE:LINE: ` for a message about a value in the file; empty for other sources. */
export const placeOf = (origin: Origin): string =>
  origin.from === 'file' ? `${origin.file}${origin.line === undefined ? '' : `:${origin.line}`}: ` : '';

/** One effective value and its source. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** The settings that a command's flags can set. */
export interface SettingFlags {
  readonly config?: string | undefined;
  readonly store?: string | undefined;
  readonly token?: string | undefined;
  readonly storePath?: string | undefined;
  readonly port?: number | undefined;
  readonly apiPort?: number | undefined;
  readonly advertise?: string | undefined;
  readonly upstream?: string | undefined;
}

/** Every effective setting on this machine, with `node_overrides` merged and paths expanded. */
export interface Settings {
  readonly enabled: Setting<boolean>;
  readonly storeHost: Setting<string | undefined>;
  readonly storeHttpHost: Setting<string | undefined>;
  readonly storePort: Setting<number>;
  readonly storePath: Setting<string>;
  /** The directory of model cards, in addition to those in the store. */
  readonly cardsPath: Setting<string | undefined>;
  readonly apiPort: Setting<number>;
  /** The directories that `GET /filesystem/browse` may show; undefined for the defaults. */
  readonly browseRoots: Setting<readonly string[] | undefined>;
  /** The URL of the store in the environment or a flag; it overrides the file. */
  readonly storeUrl: Setting<string | undefined>;
  /** URL of the store that this store asks for what it lacks, instead of Hugging Face. */
  readonly upstream: Setting<string | undefined>;
  readonly allowHubFallback: Setting<boolean>;
  /** How many models the store host downloads at the same time. */
  readonly maxDownloads: Setting<number>;
  readonly stagingEnabled: Setting<boolean>;
  readonly nodeCachePath: Setting<string>;
  readonly cleanupOnDeactivate: Setting<boolean>;
  /** In bytes. */
  readonly keepRecentBytes: Setting<number>;
  readonly token: Setting<string | undefined>;
  readonly hubToken: Setting<string | undefined>;
}

/** How this machine shares models with other nodes. */
export interface SwarmSettings {
  readonly isEnabled: boolean;
  /** The first port for other nodes. */
  readonly port: number;
  /** Bytes per second; no limit if undefined. */
  readonly uploadLimit: number | undefined;
}

/** Settings of one machine that are not in skulk.yaml; `$SKULK_HOME/machine.yaml`. */
export interface MachineSettings {
  /** Hosts, by name or address, to which this machine may send its token even if only mDNS knows them. */
  readonly tokenHosts: readonly string[];
  readonly swarm: SwarmSettings;
  /** Stores to read from while the configured one cannot be reached, in order: URLs, or addresses with or without a port. */
  readonly secondStores: readonly string[];
}

/** The settings of a machine without such a file. */
export const usualMachine: MachineSettings = {
  tokenHosts: [],
  swarm: { isEnabled: true, port: 58_083, uploadLimit: undefined },
  secondStores: [],
};

/** The configuration for operations. */
export interface Config {
  readonly file: string | undefined;
  readonly skulkHome: string;
  readonly hostname: string;
  readonly nodeId: string | undefined;
  readonly settings: Settings;
  /** Whether this machine is the store host: `store_host` names it, or no store host is configured. */
  readonly isStoreHost: boolean;
  /** Whether a file, the environment or a flag selects the store. */
  readonly isStoreNamed: boolean;
  /** Other names of this machine: they resolve to one of its addresses. */
  readonly aliases: readonly string[];
  /** Hosts that may get the token even if only mDNS knows them. */
  readonly tokenHosts: readonly string[];
  readonly swarm: SwarmSettings;
  /** URLs of the stores to read from while the configured one cannot be reached, in order. */
  readonly secondStores: readonly string[];
  /**
   * Whether a token from another source may be sent to the store in the file. Not if the file was in the working directory or above: it
   * may be part of a foreign repo.
   */
  readonly fileMayDirectToken: boolean;
}
