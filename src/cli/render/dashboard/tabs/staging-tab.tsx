import type { ReactElement } from 'react';
import type { StagingView } from '../../../../core/protocol/staging.ts';
import { copyColumns, nameRow, stagingRows } from '../../lists/copy-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { actOnCopy } from '../copy-keys.ts';

/** This machine's staged copies and running stagings. */
export function StagingTab(): ReactElement {
  const dashboard = useDashboard();
  const { view, now, width, height, listOf, show } = dashboard;
  const { staging, jobs, digests } = view;
  return (
    <List
      columns={copyColumns(now, digests)}
      rows={stagingRows(staging, jobs)}
      keyOf={({ model_id }) => model_id}
      wordsOf={(row) => nameRow(row, digests)}
      width={width}
      height={height}
      {...listOf('staging')}
      empty={emptyLines(staging)}
      onKey={(key, row) => {
        if (row === undefined) return false;
        if (key === 'enter') show({ kind: 'copy', modelId: row.model_id });
        else return actOnCopy(dashboard, key, row);
        return true;
      }}
    />
  );
}

function emptyLines(staging: StagingView | null): readonly string[] {
  if (staging === null) return ['Looking…'];
  if (staging.problem !== null) return [staging.problem];
  if (staging.in_place) return ['Models are used in place in the store, so nothing is copied.'];
  return ['Nothing is staged on this machine.', '', 'Press s on a model of the store to make a verified copy here.'];
}
