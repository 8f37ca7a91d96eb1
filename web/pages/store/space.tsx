import type { ReactElement } from 'react';
import type { HealthView } from '../../../src/core/protocol/health.ts';
import type { CountedEntry } from '../../../src/core/protocol/models.ts';
import { Bar } from '../../parts/bar.tsx';
import { formatBytes, plural } from '../../parts/format.ts';

/** How full the store's disk is, and how much of that are models. */
export function Space({ health, entries }: { readonly health: HealthView; readonly entries: readonly CountedEntry[] }): ReactElement {
  const models = entries.reduce((sum, { total_bytes }) => sum + total_bytes, 0);
  const { usedBytes, freeBytes, totalBytes, storePath } = health;
  // Models may be clones of other files, which the disk counts once.
  const others = Math.max(0, usedBytes - models);
  const label = `${formatBytes(models)} of models, ${formatBytes(others)} of other files, ${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`;
  return (
    <section className="card space" aria-label="Space">
      <div className="space-head">
        <p className="space-number">
          <strong>{formatBytes(models)}</strong> in {plural(entries.length, 'model')}
        </p>
        <p className="muted space-path">
          <code>{storePath}</code>
          {health.hostname !== '' && ` on ${health.hostname}`}
          {health.version === '' && ' of the Python Skulk'}
        </p>
      </div>
      <Bar
        label={label}
        total={totalBytes}
        parts={[
          { kind: 'models', bytes: models },
          { kind: 'other', bytes: others },
        ]}
      />
      <ul className="legend">
        <li className="models">models {formatBytes(models)}</li>
        {others > 0 && <li className="other">other files {formatBytes(others)}</li>}
        <li className="free">
          free {formatBytes(freeBytes)} of {formatBytes(totalBytes)}
        </li>
      </ul>
    </section>
  );
}
