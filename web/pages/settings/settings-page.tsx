import type { ReactElement } from 'react';
import { NeedsKey, useMayAdminister } from '../../parts/access/needs-key.tsx';
import { useNode } from '../../parts/app-context.ts';
import { AccessControl } from './access/access-control.tsx';
import { ServerCard } from './restart/server-card.tsx';
import { SettingsForm } from './settings-form.tsx';

/** The settings page of this machine. */
export function SettingsPage(): ReactElement {
  const { topics } = useNode();
  const mayChange = useMayAdminister();
  return (
    <>
      <div className="page-head">
        <h1>Settings</h1>
      </div>
      {!mayChange && <NeedsKey />}
      <AccessControl />
      {topics.config === undefined ? (
        <p className="muted loading">Reading the settings…</p>
      ) : (
        <>
          <SettingsForm view={topics.config} />
          <ServerCard view={topics.config} />
        </>
      )}
    </>
  );
}
