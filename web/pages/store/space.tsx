import type { ReactElement } from 'react';
import type { HealthView } from '../../../src/core/protocol/health.ts';
import type { CountedEntry } from '../../../src/core/protocol/models/entries.ts';
import { Bar } from '../../parts/bar.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Link } from '../../parts/link.tsx';

/** So many of the largest models have a part of the bar of their own. */
const shownApart = 5;

/** How full the store's disk is, and how much of that are models. */
export function Space({
  health,
  entries,
  unfinished,
}: {
  readonly health: HealthView;
  readonly entries: readonly CountedEntry[];
  /** The data of unfinished uploads and downloads, in bytes. */
  readonly unfinished: number;
}): ReactElement {
  const models = entries.reduce((sum, { total_bytes }) => sum + total_bytes, 0);
  const { usedBytes, freeBytes, totalBytes, storePath } = health;
  const sizes = entries.map(({ total_bytes }) => total_bytes).toSorted((a, b) => b - a);
  const rest = sizes.slice(shownApart).reduce((sum, size) => sum + size, 0);
  // Models may be clones of other files, which the disk counts once.
  const others = Math.max(0, usedBytes - models - unfinished);
  const begun = unfinished > 0 ? `${formatBytes(unfinished)} unfinished, ` : '';
  const label = `${formatBytes(models)} of models, ${begun}${formatBytes(others)} of other files, ${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`;
  return (
    <section className="card space" aria-label="Space">
      <div className="space-head">
        <p className="space-number">
          <strong>{formatBytes(models)}</strong> in {plural(entries.length, 'model')}
        </p>
        <p className="space-free">
          <strong>{formatBytes(freeBytes)} free</strong> <span className="muted">of {formatBytes(totalBytes)}</span>
        </p>
      </div>
      <Bar
        label={label}
        total={totalBytes}
        parts={[
          ...[...sizes.slice(0, shownApart), ...(rest > 0 ? [rest] : [])].map((bytes) => ({ kind: 'models' as const, bytes })),
          ...(unfinished > 0 ? [{ kind: 'unfinished' as const, bytes: unfinished }] : []),
          { kind: 'other', bytes: others },
        ]}
      />
      <ul className="legend">
        <li className="models">models {formatBytes(models)}</li>
        {unfinished > 0 && (
          <li className="unfinished">
            <Link to="/activity">unfinished {formatBytes(unfinished)}</Link>
          </li>
        )}
        {others > 0 && <li className="other">other files {formatBytes(others)}</li>}
        <li className="free">free {formatBytes(freeBytes)}</li>
      </ul>
      <p className="muted space-path">
        <code>{storePath}</code>
        {health.hostname !== '' && ` on ${health.hostname}`}
        {health.version === '' && ' of the Python Skulk'}
      </p>
    </section>
  );
}
