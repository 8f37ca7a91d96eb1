import { type ReactElement, useState } from 'react';
import { logColumns, logRows, wordsOfLog } from '../../lists/log-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { useAskedList } from './use-asked-list.ts';

/** So many changes are shown at first, and so many more with each key. */
const step = 200;
/** A store answers with at most so many. */
const most = 10_000;

/** Who changed what in the store, newest first; `m` shows older changes. */
export function LogTab(): ReactElement {
  const { view, acts, now, width, height, listOf, show, say } = useDashboard();
  const [limit, setLimit] = useState(step);
  const { value, problem, again } = useAskedList(() => acts.audit(limit));
  return (
    <List
      columns={logColumns(now)}
      rows={value === undefined ? [] : logRows(value.list.entries, value.askers)}
      keyOf={({ key }) => key}
      wordsOf={wordsOfLog}
      width={width}
      height={height}
      {...listOf('log')}
      empty={problem !== undefined ? [problem] : value === undefined ? ['Loading from the store…'] : ['Nothing was changed yet.']}
      onKey={(key, row) => {
        if (key === 'm') {
          if (value?.list.more !== true || limit === most) say({ text: 'there are no older changes', tone: 'warn' });
          else {
            setLimit(Math.min(most, limit + step));
            again();
          }
          return true;
        }
        if (row === undefined || key !== 'enter') return false;
        const model = view.store?.models?.find(({ model_id }) => model_id === row.entry.model_id);
        if (model !== undefined) show({ kind: 'model', modelId: model.model_id });
        else if (row.entry.model_id !== null) say({ text: `${row.entry.model_id} is not in the store`, tone: 'warn' });
        return true;
      }}
    />
  );
}
