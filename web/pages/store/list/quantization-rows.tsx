import type { ReactElement } from 'react';
import type { StoredQuantization } from '../../../../src/core/protocol/models/shown-model.ts';
import { Age } from '../../../parts/age.tsx';
import { Link } from '../../../parts/link.tsx';
import { pathOfModel } from '../../../parts/model-path.ts';
import { Size } from '../../../parts/size.tsx';
import { formatNamed } from '../quantizations.ts';
import { lastUseOf } from './list-models.ts';
import type { RowProps } from './model-row.tsx';
import { RowActions } from './row-actions.tsx';
import { StagedCell } from './staged-cell.tsx';

/** The quantizations of a model that the store has, largest first, in the columns of the models. */
export function QuantizationRows({
  entry: { model_id: modelId, quantizations = [], total_bytes },
  stored,
  ...row
}: RowProps & {
  /** What is known of each; undefined until the answer comes, so that no row changes its place. */
  readonly stored: readonly StoredQuantization[] | undefined;
}): ReactElement {
  const sizes = new Map(stored?.map((one) => [one.selector, one]));
  const ordered = quantizations.toSorted((a, b) => (sizes.get(b)?.size_bytes ?? 0) - (sizes.get(a)?.size_bytes ?? 0));
  return (
    <>
      {ordered.map((selector, index) =>
        stored === undefined ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: these rows only keep the place
          <tr key={index} className="sub">
            <td colSpan={8} className="muted">
              …
            </td>
          </tr>
        ) : (
          <Row
            key={selector}
            modelId={modelId}
            selector={selector}
            known={sizes.get(selector)}
            others={quantizations.filter((one) => one !== selector)}
            total={total_bytes}
            {...row}
          />
        ),
      )}
    </>
  );
}

function Row({
  modelId,
  selector,
  known,
  others,
  total,
  largest,
  nodes,
  digests,
  locks,
  onDelete,
}: Omit<RowProps, 'entry'> & {
  readonly modelId: string;
  readonly selector: string;
  readonly known: StoredQuantization | undefined;
  readonly others: readonly string[];
  /** The size of the whole model, which goes with its last quantization. */
  readonly total: number;
}): ReactElement {
  const named = { modelId, selector };
  const used = lastUseOf(nodes, named);
  const bits = known?.bits_per_weight ?? null;
  const bytes = known?.size_bytes;
  const staged = <StagedCell named={named} nodes={nodes} digests={digests.get(modelId)} />;
  return (
    <tr className="sub" data-reference={formatNamed(named)}>
      <th scope="row">
        <Link to={pathOfModel(modelId)} className="row-link">
          <span className="label">{selector}</span>
        </Link>{' '}
        {bits !== null && <span className="muted row-bits">{`${bits.toFixed(1)} bits per weight`}</span>}
        <div className="narrow-only muted row-more">{staged}</div>
      </th>
      <td className="wide-only" />
      <td className="number">{bytes === undefined ? '?' : <Size bytes={bytes} largest={largest} />}</td>
      <td className="wide-only">{staged}</td>
      <td className="desk-only">{used === '' ? <span className="muted">never</span> : <Age at={used} />}</td>
      <td className="vast-only" />
      <td className="number vast-only">{known?.files.length ?? ''}</td>
      <td className="actions">
        <RowActions
          what={{ ...named, bytes }}
          locks={locks}
          onDelete={() => onDelete({ ...named, bytes: others.length === 0 ? total : (bytes ?? 0), others })}
        />
      </td>
    </tr>
  );
}
