import type { Deps } from '../connect/deps.ts';
import { createSerialQueue } from '../kernel/flow/serial-queue.ts';
import { heartbeatMs } from '../kernel/process/heartbeat.ts';
import { renewLeases, stopRenewing } from '../staging/leases/renew-leases.ts';
import { leaseLayout } from './lease-layout.ts';

/**
 * Renews the leases of programs on this machine or in this container while a server is running.
 * @returns a function that stops it
 */
export function keepLeases(deps: Deps): () => Promise<void> {
  const layout = leaseLayout(deps, { offline: true });
  const renewals = createSerialQueue();
  const renew = (): void => {
    renewals.run(async () => renewLeases(await layout)).catch(() => undefined);
  };
  renew();
  const timer = setInterval(renew, heartbeatMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await renewals.idle();
    await layout.then(stopRenewing).catch(() => undefined);
  };
}
