import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { viewConfig } from '../../operations/settings/view-config.ts';
import type { ServeRequest } from './serving.ts';

/** The restart of a server by a client. */
export interface Restart {
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal;
  /** Throws a SkulkError CONFLICT if the server would not start again. */
  check(): Promise<void>;
  begin(): void;
}

/** @returns undefined if nothing can replace this process */
export function createRestart(
  deps: Deps,
  { replacement, loadAgain }: Pick<ServeRequest, 'replacement' | 'loadAgain'>,
): Restart | undefined {
  if (replacement === undefined) return undefined;
  const starting = new AbortController();
  return {
    signal: starting.signal,
    check: async () => {
      replacement.check();
      await loadAgain?.().catch((error: unknown) => {
        if (!(error instanceof SkulkError)) throw error;
        throw new SkulkError('CONFLICT', `this server would not start again: ${error.message}`, { hint: error.hint, cause: error });
      });
      const { service } = await viewConfig(deps);
      const [directory] = service?.not_writable ?? [];
      if (directory !== undefined)
        throw new SkulkError('CONFLICT', `the service of this server may not write to ${directory} yet`, {
          hint: `run \`skulk service install\` on ${deps.world.hostname}: it updates the service and restarts it`,
        });
    },
    begin: () => starting.abort(),
  };
}

/** The refusal of a server that cannot replace its process. */
export const noRestart = (hostname: string): SkulkError =>
  new SkulkError('CONFLICT', 'this server cannot restart itself: its system cannot replace a running process', {
    hint: `stop skulk on ${hostname} and start it again`,
  });
