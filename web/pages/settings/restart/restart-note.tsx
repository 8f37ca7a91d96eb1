import type { ReactElement } from 'react';
import type { ConfigView } from '../../../../src/core/protocol/settings.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Icon } from '../../../parts/icon.tsx';
import { RestartButton } from './restart-button.tsx';

/** Reports that the server still runs with other settings, lists them, and suggests what to do. */
export function RestartNote({ view }: { readonly view: ConfigView }): ReactElement {
  const { identity } = useApp();
  const notWritable = view.service?.not_writable ?? [];
  return (
    <div role="status">
      {view.restart_required && (
        <div className="callout warn">
          <Icon name="retry" />
          <div>
            <p>
              <strong>Restart needed.</strong> <code>skulk serve</code> on {identity.hostname} still runs with the old values of:
            </p>
            <ul className="keys">
              {view.restart_because.map((key) => (
                <li key={key}>
                  <code>{key}</code>
                </li>
              ))}
            </ul>
            {notWritable.length > 0 && (
              <p>
                Its service may not write to <Paths paths={notWritable} /> yet. Run <code>skulk service install</code> on{' '}
                {identity.hostname}: it updates the unit and restarts the service.
              </p>
            )}
            {identity.can_restart && notWritable.length === 0 ? (
              <RestartButton view={view} />
            ) : (
              <p className="muted">
                Stop it with Ctrl-C and start it again, or if it is a service: <code>skulk service restart</code>. This page comes back by
                itself, unless the address of it is what you changed.
              </p>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

function Paths({ paths }: { readonly paths: readonly string[] }): ReactElement {
  return (
    <>
      {paths.map((path, index) => (
        <span key={path}>
          {index > 0 && ', '}
          <code>{path}</code>
        </span>
      ))}
    </>
  );
}
