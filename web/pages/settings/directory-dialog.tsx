import { type ReactElement, useCallback, useEffect } from 'react';
import type { Browsed } from '../../../src/core/protocol/settings.ts';
import { ApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';

/** The choice of a directory on the machine of this page. */
export function DirectoryDialog({
  title,
  start,
  onChoose,
  onClose,
}: {
  readonly title: string;
  readonly start: string | undefined;
  readonly onChoose: (path: string) => void;
  readonly onClose: () => void;
}): ReactElement {
  const { client, identity } = useApp();
  const task = useTask<Browsed>();
  const { start: ask } = task;
  const open = useCallback(
    (path: string | null) => {
      const call = callOf('GET /filesystem/browse', {}, { path: path ?? undefined });
      return ask((signal) =>
        client.get<Browsed>(call, signal).catch((error: unknown) => {
          // A typed path may not exist or may not be readable; then the dialog starts at the top.
          if (path === start && error instanceof ApiError && error.status >= 400 && error.status < 500)
            return client.get<Browsed>(callOf('GET /filesystem/browse', {}), signal);
          throw error;
        }),
      );
    },
    [ask, client, start],
  );
  useEffect(() => void open(start ?? null), [open, start]);
  const here = task.result;
  const isTop = here?.path === null;
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="muted">
        Directories of <strong>{identity.hostname}</strong>. Files are not shown.
      </p>
      {task.error !== undefined && <Problem error={task.error} />}
      {here !== undefined && (
        <>
          <p className="browse-here">
            <Icon name="folder" />
            <code>{here.path ?? 'Where models may be kept'}</code>
          </p>
          <ul className="browse-list" aria-label={here.path ?? 'Where models may be kept'}>
            {!isTop && (
              <li>
                <button type="button" onClick={() => void open(here.parent)}>
                  <Icon name="up" />
                  {here.parent === null ? 'All places' : 'Up'}
                </button>
              </li>
            )}
            {here.directories.map(({ name, path }) => (
              <li key={path}>
                <button type="button" onClick={() => void open(path)}>
                  <Icon name="folder" />
                  {name}
                </button>
              </li>
            ))}
          </ul>
          {here.directories.length === 0 && <p className="muted">It contains no directories.</p>}
          {here.is_cut && <p className="muted">Not all directories are shown; enter the path instead.</p>}
        </>
      )}
      <div className="dialog-actions">
        {here !== undefined && !isTop && (
          <p className="muted">
            {here.is_writable ? `${formatBytes(here.free_bytes ?? 0)} free` : 'The user of the server cannot write there.'}
          </p>
        )}
        <Button onClick={onClose}>Cancel</Button>
        <Button
          tone="primary"
          disabled={here === undefined || isTop || !here.is_writable}
          onClick={() => {
            if (typeof here?.path === 'string') onChoose(here.path);
          }}
        >
          Choose this directory
        </Button>
      </div>
    </Dialog>
  );
}
