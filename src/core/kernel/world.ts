import type { Emit } from './flow/events.ts';

/** The only access to environment, clock, cancellation and reports. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly hostname: string;
  readonly homeDirectory: string;
  /** The name of the user that runs this process. */
  readonly user: () => string;
  readonly version: string;
  readonly now: () => Date;
  /** Aborted by Ctrl-C or SIGTERM, with a SkulkError (INTERRUPTED or TERMINATED) as its reason. */
  readonly signal: AbortSignal;
  readonly emit: Emit;
}
