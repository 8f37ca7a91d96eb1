import type { ReactElement } from 'react';
import type { ConfigView } from '../../../../src/core/protocol/settings.ts';
import { useApp, useNode, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { listInterrupted } from './list-interrupted.ts';

/** Asks before a restart, and lists what it interrupts. */
export function RestartDialog({ view, onClose }: { readonly view: ConfigView; readonly onClose: () => void }): ReactElement {
  const { identity, restart } = useApp();
  const [ofStore, ofNode] = [useStore().topics, useNode().topics];
  const task = useTask<true>();
  const interrupted = listInterrupted(identity.role === 'store' ? ofStore : {}, ofNode);
  const address = newAddress(view);
  const begin = async (): Promise<void> => {
    const isDone = await task.change(async () => {
      await restart.begin();
      return true as const;
    });
    if (isDone === true) onClose();
  };
  return (
    <Dialog title={`Restart skulk on ${identity.hostname}?`} onClose={onClose}>
      {interrupted.length === 0 ? (
        <p>Nothing is moving now. The server is back after a few seconds, with the saved settings.</p>
      ) : (
        <>
          <p>The server is back after a few seconds, with the saved settings. Meanwhile:</p>
          <ul>
            {interrupted.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      )}
      <p className="muted">Transfers get ten seconds to finish. Programs that use staged copies continue, and clients resume.</p>
      {address !== undefined && (
        <p className="warn">
          The port of this page changes. Afterwards open <a href={address}>{address}</a>.
        </p>
      )}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it running
        </Button>
        <Button tone="primary" icon="retry" disabled={task.isBusy} onClick={() => void begin()}>
          {task.isBusy ? 'Restarting…' : 'Restart the server'}
        </Button>
      </div>
    </Dialog>
  );
}

/** Where the page is after a restart; undefined where it stays. */
function newAddress({ restart_because, config }: ConfigView): string | undefined {
  if (!restart_because.includes('model_store.api_port')) return undefined;
  const port = (config['model_store'] as { readonly api_port?: unknown } | undefined)?.api_port;
  return typeof port === 'number' ? `${location.protocol}//${location.hostname}:${port}/settings` : undefined;
}
