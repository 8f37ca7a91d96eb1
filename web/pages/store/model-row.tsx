import type { ReactElement } from 'react';
import type { CountedEntry } from '../../../src/core/protocol/models.ts';
import type { StagingJob } from '../../../src/core/protocol/staging.ts';
import { Age } from '../../parts/age.tsx';
import { Tags } from '../../parts/badge.tsx';
import { IconButton } from '../../parts/button.tsx';
import { formatCount, plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { pathOfModel } from '../../parts/model-path.ts';
import { Size } from '../../parts/size.tsx';
import { InUse } from '../copy-state.tsx';
import { lastUseOf } from './list-models.ts';
import type { ModelTableProps } from './model-table.tsx';
import { stagedOn } from './quantizations.ts';

/** One model in the list: what it is, how large, where it is staged and when it was used. */
export function ModelRow({
  entry,
  largest,
  nodes,
  jobs,
  here,
  locks,
  onStage,
  onDelete,
}: ModelTableProps & { readonly entry: CountedEntry; readonly largest: number }): ReactElement {
  const { model_id, total_bytes, file_count, downloaded_at, tags } = entry;
  const copies = stagedOn(nodes, { modelId: model_id });
  const job = jobs.find((one) => one.model_id === model_id && (one.status === 'staging' || one.status === 'pending'));
  const used = lastUseOf(nodes, model_id);
  const facts = factsOf(entry);
  const quantization = nameQuantizations(entry);
  const staged = (
    <>
      {job === undefined ? (
        namePlaces(
          copies.map(({ node }) => node.hostname || node.node_id),
          { nodes: nodes.length, isHere: here.has(model_id) },
        )
      ) : (
        <span className="badge move">
          <Icon name="up" />
          staging {percentOf(job)}
        </span>
      )}{' '}
      {copies.some(({ copy }) => copy.in_use) && <InUse />}
    </>
  );
  return (
    <tr>
      <th scope="row">
        <Link to={pathOfModel(model_id)} className="row-link">
          <ModelName id={model_id} />
        </Link>
        {(facts !== '' || tags.length > 0) && (
          <div className="row-more row-facts">
            {facts !== '' && <span className="muted">{facts}</span>}
            <Tags tags={tags} />
          </div>
        )}
        <p className="narrow-only muted row-more">
          {quantization !== '' && <span className="label">{quantization}</span>} {staged}
        </p>
      </th>
      <td className="wide-only">{quantization !== '' && <span className="label">{quantization}</span>}</td>
      <td className="number">
        <Size bytes={total_bytes} largest={largest} />
      </td>
      <td className="wide-only">{staged}</td>
      <td className="desk-only">{used === '' ? <span className="muted">never</span> : <Age at={used} />}</td>
      <td className="desk-only">
        <Age at={downloaded_at} />
      </td>
      <td className="number vast-only">{file_count.toLocaleString('en')}</td>
      <td className="actions">
        <IconButton
          icon="machine"
          words="Stage"
          label={`Stage ${model_id} on this machine`}
          disabled={job !== undefined}
          lock={locks.copiesHere}
          onClick={() => onStage(model_id)}
        />
        <IconButton icon="trash" label={`Delete ${model_id}`} lock={locks.models} onClick={() => onDelete(model_id)} />
      </td>
    </tr>
  );
}

/** `30.5B, context 40,960`: as far as it is known. Pure. */
const factsOf = ({ parameters, context_length }: CountedEntry): string =>
  [
    ...(parameters === null ? [] : [formatCount(parameters)]),
    ...(context_length === null ? [] : [`context ${context_length.toLocaleString('en')}`]),
  ].join(', ');

/** Its quantization, or how many there are. Pure. */
const nameQuantizations = ({ quantizations = [], quantization }: CountedEntry): string =>
  quantizations.length > 1 ? plural(quantizations.length, 'quantization') : (quantization ?? '');

/** One or two machines by their names, more by their number. Pure. */
function namePlaces(names: readonly string[], { nodes, isHere }: { readonly nodes: number; readonly isHere: boolean }): string {
  if (names.length === 0) return isHere ? 'this machine' : 'not staged';
  return names.length <= 2 ? names.join(', ') : `${names.length} of ${nodes} nodes`;
}

const percentOf = ({ bytes_done, bytes_total }: StagingJob): string =>
  bytes_total === 0 ? '' : `${Math.floor((bytes_done / bytes_total) * 100)} %`;
