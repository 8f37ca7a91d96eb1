import { type ReactElement, useState } from 'react';
import { useStore } from '../../parts/app-context.ts';
import { Problem } from '../../parts/problem.tsx';
import { Optimizations } from '../store/optimize/optimizations.tsx';
import { UnfinishedUploads } from '../store/uploads/unfinished-uploads.tsx';
import { Log } from './log.tsx';
import { MovingNow } from './moving-now.tsx';
import { RangeChoice, shortRange } from './rate-range.tsx';
import { Rates } from './rates.tsx';
import { UnfinishedCopies } from './unfinished-copies.tsx';
import { UnfinishedDownloads } from './unfinished-downloads.tsx';
import { useActivity } from './use-activity.ts';

/** How fast bytes move, what moves now, what has stopped, and who did what. */
export function ActivityPage(): ReactElement {
  const { topics } = useStore();
  const { view, swarms, error } = useActivity();
  const [range, setRange] = useState(shortRange);
  return (
    <>
      <div className="page-head">
        <h1>Activity</h1>
        {view !== undefined && <RangeChoice range={range} onChange={setRange} />}
      </div>
      {error !== undefined && view === undefined && <Problem error={error} />}
      {view !== undefined && <Rates view={view} range={range} hasTable />}
      <MovingNow entries={view?.entries ?? []} swarms={swarms} />
      <Optimizations />
      <UnfinishedDownloads />
      <UnfinishedUploads />
      <UnfinishedCopies />
      {view !== undefined && <Log view={view} nodes={topics.nodes?.nodes ?? []} />}
    </>
  );
}
