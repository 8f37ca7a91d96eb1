import { SkulkError } from '../../kernel/errors.ts';
import { describeLockHolder } from '../../kernel/process/lock.ts';
import type { LockHolder } from '../../kernel/process/lock-claims.ts';
import type { Deps } from '../deps.ts';

/** Without --config, the file would apply only in the working directory and below it. */
export const initCommand = 'skulk config init --config ~/.config/skulk/skulk.yaml';

/** No store is configured, and the search found none. */
export const notConfigured = (): SkulkError =>
  new SkulkError('STORE_NOT_CONFIGURED', 'no store is configured, and none was found on the LAN or on this machine', {
    hint: `run \`skulk serve\` on the machine with the large disk; here, set SKULK_STORE=http://THAT-MACHINE:58080 or run \`${initCommand} --store-host THAT-MACHINE\``,
  });

/** The configuration disables the store. */
export const switchedOff = ({ config }: Pick<Deps, 'config'>): SkulkError =>
  new SkulkError('STORE_NOT_CONFIGURED', 'the store is disabled (model_store.enabled is false)', {
    hint: `set model_store.enabled to true in ${config.file ?? 'the configuration'}`,
  });

/** The store on this disk is served in a network that this process cannot reach. */
export const servedOutOfReach = (root: string, holder: LockHolder): SkulkError =>
  new SkulkError(
    'STORE_UNREACHABLE',
    `the store ${root} is served by ${describeLockHolder(holder)}, which answers at ${holder.url} only inside its own network`,
    {
      hint: 'run the command there, or set SKULK_STORE to an address that reaches it, e.g. http://THAT-MACHINE:58080; if it was killed, try again in 30 seconds',
    },
  );

/** Another process holds the store that a server should serve. */
export const heldByOther = (root: string, holder: LockHolder, url: string | undefined): SkulkError =>
  new SkulkError('LOCKED', `the store ${root} is already held by ${describeLockHolder(holder)}${url === undefined ? '' : ` at ${url}`}`, {
    hint: 'only one process can serve a store; stop that one first, or use another --store-path',
  });
