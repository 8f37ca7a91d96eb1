import type { ReactElement } from 'react';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import { Age } from '../../../parts/age.tsx';
import { Tags } from '../../../parts/badge.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Link } from '../../../parts/link.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { pathOfModel } from '../../../parts/model-path.ts';
import { Size } from '../../../parts/size.tsx';
import { UnloadableBadge } from '../../unloadable-badge.tsx';
import { useModel } from '../use-model.ts';
import { explainQuantizations, factsOf, labelQuantizations } from './describe-row.ts';
import { lastUseOf } from './list-models.ts';
import type { ModelTableProps } from './model-table.tsx';
import { QuantizationRows } from './quantization-rows.tsx';
import { RowActions } from './row-actions.tsx';
import { StagedCell } from './staged-cell.tsx';

/** A model is shown as a new one so long, in milliseconds. */
const arrivalMs = 2_000;

/** The properties of a row. */
export interface RowProps extends ModelTableProps {
  readonly entry: CountedEntry;
  /** The size of the largest model, in bytes. */
  readonly largest: number;
  /** Whether its quantizations are listed below it. */
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** One model in the list: what it is, how large, where it is staged and when it was used; and its quantizations, where it has several. */
export function ModelRow(props: RowProps): ReactElement {
  const { entry, cameAt, digests, largest, nodes, locks, isOpen, onToggle, onDelete } = props;
  const { model_id, total_bytes, file_count, downloaded_at, tags, quantizations = [], problems = [] } = entry;
  const isSeveral = quantizations.length > 1;
  // A quantization that comes or goes changes its size, and not always its date.
  const { model, error } = useModel(model_id, isSeveral && isOpen ? `${downloaded_at} ${total_bytes} ${file_count}` : undefined);
  const named = { modelId: model_id };
  const used = lastUseOf(nodes, named);
  const isNew = Date.now() - (cameAt.get(model_id) ?? 0) < arrivalMs;
  const facts = factsOf(entry);
  const label = labelQuantizations(entry);
  const staged = <StagedCell named={named} nodes={nodes} digests={digests.get(model_id)} />;
  const words = isSeveral ? explainQuantizations(entry) : undefined;
  const toggle = { 'aria-expanded': isOpen, onClick: onToggle } as const;
  const sizeOf = (selector: string): number | undefined => model?.quantizations?.find((one) => one.selector === selector)?.size_bytes;
  return (
    <>
      <tr data-reference={model_id} className={isNew ? 'arrived' : undefined}>
        <th scope="row">
          {isSeveral && (
            <button
              type="button"
              className="chevron wide-only"
              aria-label={`Quantizations of ${model_id}`}
              aria-keyshortcuts="o"
              title={words}
              {...toggle}
            >
              <Icon name={isOpen ? 'down' : 'closed'} />
            </button>
          )}
          <Link to={pathOfModel(model_id)} className="row-link">
            <ModelName id={model_id} />
          </Link>
          {(facts !== '' || tags.length > 0 || used !== '' || problems.length > 0) && (
            <div className="row-more row-facts">
              <UnloadableBadge problems={problems} />
              {facts !== '' && <span className="muted row-numbers">{facts}</span>}
              <Tags tags={tags} />
              {used !== '' && (
                <span className="muted used-below">
                  used <Age at={used} />
                </span>
              )}
            </div>
          )}
          <div className="narrow-only muted row-more">
            {isSeveral ? (
              <button type="button" className="opener" aria-label={`${label} quantizations of ${model_id}`} {...toggle}>
                <span className="label">
                  {label} <Icon name={isOpen ? 'down' : 'closed'} />
                </span>
              </button>
            ) : (
              label !== '' && <span className="label">{label}</span>
            )}{' '}
            {staged}
          </div>
        </th>
        <td className="wide-only">
          {label !== '' && (
            <span className="label" title={words}>
              {label}
            </span>
          )}
        </td>
        <td className="number">
          <Size bytes={total_bytes} largest={largest} />
        </td>
        <td className="wide-only">{staged}</td>
        <td className="desk-only">{used === '' ? <span className="muted">never</span> : <Age at={used} />}</td>
        <td className="vast-only">
          <Age at={downloaded_at} />
        </td>
        <td className="number vast-only">{file_count.toLocaleString('en')}</td>
        <td className="actions">
          <RowActions
            what={{ ...named, bytes: total_bytes, parts: quantizations.map((selector) => ({ selector, bytes: sizeOf(selector) })) }}
            locks={locks}
            onDelete={() => onDelete({ ...named, bytes: total_bytes, others: [] })}
          />
        </td>
      </tr>
      {isSeveral && isOpen && <QuantizationRows {...props} stored={error === undefined ? model?.quantizations : []} />}
    </>
  );
}
