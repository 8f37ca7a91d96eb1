import type { ReactElement } from 'react';
import { useApp } from '../app-context.ts';
import { Command } from '../command.tsx';
import { Icon } from '../icon.tsx';

/** Explains that settings are read-only, and how to get the right to change them. */
export function NeedsKey(): ReactElement {
  const { identity } = useApp();
  return (
    <section className="callout note" aria-label="Read-only">
      <Icon name="lock" />
      <div className="stack">
        <p>
          <strong>Settings are read-only without the key of this machine.</strong> To change settings, run <code>skulk key</code> on{' '}
          {identity.hostname} and open the link it prints.
        </p>
        <Command text="skulk key" />
        <p className="muted">
          If the service runs as another user: <code>sudo -u USER skulk key</code>. The link works once, within ten minutes; this tab keeps
          the key until you close it.
        </p>
      </div>
    </section>
  );
}

/** Whether this tab may change settings. */
export const useMayAdminister = (): boolean => useApp().access.role === 'admin';
