import { Fragment, type ReactElement, useRef, useState } from 'react';
import type { ActivityEntry, ActivityView } from '../../../src/core/protocol/events.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { nameAsker, objectOfActivity as objectOf, resultOfActivity as resultOf, verbOfActivity as verbOf } from '../../api/activity.ts';
import { mayActAs } from '../../parts/access/locks-for.ts';
import { useInAddress } from '../../parts/address/use-in-address.ts';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { formatBytes, formatDate } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { pathOfModel } from '../../parts/model-path.ts';
import { isFound, logAddress } from './log-filter.ts';
import { LogTools } from './log-tools.tsx';
import { reasonOf } from './reason-of.ts';
import { useHeld } from './use-held.ts';

/** So many entries are shown at first, and so many more each time. */
const perPage = 50;

/** Who did what, newest first, under the days. */
export function Log({ view, nodes }: { readonly view: ActivityView; readonly nodes: readonly KnownNode[] }): ReactElement {
  const isAdmin = mayActAs(useApp().access.store_role, 'admin');
  const [filter, setFilter] = useInAddress(logAddress);
  const [pages, setPages] = useState(1);
  const section = useRef<HTMLElement>(null);
  const { shown: entries, waiting, release } = useHeld(view.entries, section);
  const found = entries.filter((entry) => isFound(entry, filter, nodes));
  const shown = found.slice(0, pages * perPage);
  return (
    <section className="card flush" aria-labelledby="log" ref={section}>
      <header className="card-head log-head">
        <h2 id="log">Log</h2>
        <p className="muted">
          since {formatDate(view.since)}
          {isAdmin ? '' : '; an admin also sees names and addresses'}
        </p>
        <LogTools entries={entries} found={found} nodes={nodes} filter={filter} onFilter={setFilter} />
      </header>
      {waiting > 0 && (
        <div className="log-new">
          <Button icon="up" onClick={release}>
            {waiting} new
          </Button>
        </div>
      )}
      {shown.length === 0 ? (
        <p className="muted card-line">{entries.length === 0 ? 'Nothing was changed yet.' : 'Nothing matches.'}</p>
      ) : (
        <Entries entries={shown} nodes={nodes} />
      )}
      {shown.length < found.length && (
        <div className="card-end">
          <Button onClick={() => setPages(pages + 1)}>Show {Math.min(perPage, found.length - shown.length)} more</Button>{' '}
          <span className="muted">
            {shown.length} of {found.length}
          </span>
        </div>
      )}
    </section>
  );
}

const dayOf = (iso: string): string => new Date(iso).toDateString();
const timeOf = (iso: string): string => new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

function Entries({ entries, nodes }: { readonly entries: readonly ActivityEntry[]; readonly nodes: readonly KnownNode[] }): ReactElement {
  return (
    <table className="list slim log">
      <thead>
        <tr>
          <th scope="col" className="col-time">
            Time
          </th>
          <th scope="col" className="col-who wide-only">
            Who
          </th>
          <th scope="col">What</th>
          <th scope="col" className="col-result">
            Result
          </th>
          <th scope="col" className="number col-data wide-only">
            Data
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two requests may have come in the same millisecond.
          <Fragment key={`${entry.at} ${index}`}>
            {dayOf(entry.at) !== dayOf(entries[index - 1]?.at ?? '') && (
              <tr className="day">
                <th scope="rowgroup" colSpan={3}>
                  {dayOf(entry.at) === new Date().toDateString()
                    ? 'Today'
                    : new Date(entry.at).toLocaleDateString('en-GB', { dateStyle: 'full' })}
                </th>
                <td className="wide-only" colSpan={2} />
              </tr>
            )}
            <tr>
              <td className="muted">
                <time dateTime={entry.at} title={formatDate(entry.at)}>
                  {timeOf(entry.at)}
                </time>
              </td>
              <td className="wide-only">{nameAsker(entry, nodes)}</td>
              <td className="path">
                <div className="narrow-only muted">{nameAsker(entry, nodes)}</div>
                {verbOf(entry)} <What entry={entry} /> {reasonOf(entry)}
                <div className="narrow-only muted">{dataOf(entry)}</div>
              </td>
              <td>
                <Result entry={entry} />
              </td>
              <td className="number wide-only">{dataOf(entry)}</td>
            </tr>
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Result({ entry }: { readonly entry: ActivityEntry }): ReactElement {
  if (entry.code !== null)
    return (
      <span className="bad">
        <Icon name="warning" /> {resultOf(entry)}
      </span>
    );
  // The end of the work is another entry.
  if (entry.state === 'accepted') return <span className="muted">{resultOf(entry)}</span>;
  return (
    <span className="good">
      <Icon name="check" /> {resultOf(entry)}
    </span>
  );
}

function What({ entry }: { readonly entry: ActivityEntry }): ReactElement {
  const { model_id, selector } = entry;
  if (model_id === null) return <strong>{objectOf(entry)}</strong>;
  return (
    <>
      <Link to={pathOfModel(model_id)} className="row-link">
        <ModelName id={model_id} />
      </Link>{' '}
      {selector !== null && <span className="label">{selector}</span>}
    </>
  );
}

/** `−5.86 GiB` of what was freed. Pure. */
const dataOf = ({ freed_bytes: freed = 0 }: ActivityEntry): string => (freed > 0 ? `−${formatBytes(freed)}` : '');
