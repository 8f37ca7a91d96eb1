/** Where an effective value came from. */
export type Origin =
  | { readonly from: 'default' }
  | { readonly from: 'file'; readonly file: string; readonly line: number | undefined; readonly key: string }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'flag'; readonly name: string };

/** `FILE:LINE: ` to begin a message about a value of the file with; empty for a value from elsewhere. */
export const placeOf = (origin: Origin): string =>
  origin.from === 'file' ? `${origin.file}${origin.line === undefined ? '' : `:${origin.line}`}: ` : '';

/** One effective value and who set it. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** What the flags of a command may set. */
export interface SettingFlags {
  readonly config?: string | undefined;
  readonly store?: string | undefined;
  readonly token?: string | undefined;
  readonly storePath?: string | undefined;
  readonly port?: number | undefined;
  readonly apiPort?: number | undefined;
  readonly advertise?: string | undefined;
}

/** Every setting that is in force on this machine, with `node_overrides` merged and paths expanded. */
export interface Settings {
  readonly enabled: Setting<boolean>;
  readonly storeHost: Setting<string | undefined>;
  readonly storeHttpHost: Setting<string | undefined>;
  readonly storePort: Setting<number>;
  readonly storePath: Setting<string>;
  /** Where model cards lie, besides those in the store. */
  readonly cardsPath: Setting<string | undefined>;
  readonly apiPort: Setting<number>;
  /** Below which directories `GET /filesystem/browse` looks; the usual ones when undefined. */
  readonly browseRoots: Setting<readonly string[] | undefined>;
  /** URL of the store that the environment or a flag names; it overrides the file. */
  readonly storeUrl: Setting<string | undefined>;
  readonly allowHubFallback: Setting<boolean>;
  /** How many models the store host downloads at one time. */
  readonly maxDownloads: Setting<number>;
  readonly stagingEnabled: Setting<boolean>;
  readonly nodeCachePath: Setting<string>;
  readonly cleanupOnDeactivate: Setting<boolean>;
  /** In bytes. */
  readonly keepRecentBytes: Setting<number>;
  readonly token: Setting<string | undefined>;
  readonly hubToken: Setting<string | undefined>;
}

/** The configuration as operations receive it. */
export interface Config {
  readonly file: string | undefined;
  readonly skulkHome: string;
  readonly hostname: string;
  readonly nodeId: string | undefined;
  readonly settings: Settings;
  /** Whether this machine is the store host: `store_host` names it, or nothing names any. */
  readonly isStoreHost: boolean;
  /** Whether a file, the environment or a flag says which store to use. */
  readonly isStoreNamed: boolean;
  /** Other names of this machine: they resolve to an address of it. */
  readonly aliases: readonly string[];
  /** Hosts that may get the token although only mDNS knows them. */
  readonly tokenHosts: readonly string[];
  /**
   * Whether a token of elsewhere may go to the store that the file names. Not when the file lay in the working directory or above:
   * that may be a repo of somebody else.
   */
  readonly fileMayDirectToken: boolean;
}
