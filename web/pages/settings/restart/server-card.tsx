import type { ReactElement } from 'react';
import type { ConfigView } from '../../../../src/core/protocol/settings.ts';
import { useApp } from '../../../parts/app-context.ts';
import { RestartButton } from './restart-button.tsx';

/** The running server: its version, and its restart. */
export function ServerCard({ view }: { readonly view: ConfigView }): ReactElement {
  const { identity } = useApp();
  return (
    <section className="card server-card" aria-labelledby="server">
      <div>
        <h2 id="server">Server</h2>
        <p className="muted">
          skulk {identity.version} on {identity.hostname}
          {view.service !== null && ', a systemd service'}
        </p>
      </div>
      <RestartButton view={view} />
    </section>
  );
}
