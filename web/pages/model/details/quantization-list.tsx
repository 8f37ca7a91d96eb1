import type { ReactElement } from 'react';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { formatAddAddress } from '../../../parts/address/add-address.ts';
import type { AddressFormat } from '../../../parts/address/address-format.ts';
import { useInAddress } from '../../../parts/address/use-in-address.ts';
import { useIsPythonHost, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Link } from '../../../parts/link.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { hasAsked } from '../../store/moving/troubles.ts';
import { AbsentRow } from './absent-row.tsx';
import { isComing, listRows } from './quantization-rows.ts';
import { type QuantizationActs, StoredRow } from './stored-row.tsx';
import { type Offered, useOffered } from './use-offered.ts';

type Shown = 'all' | 'stored';

const shownAddress: AddressFormat<Shown> = {
  parse: (query) => (query.get('show') === 'stored' ? 'stored' : 'all'),
  format: (shown) => new URLSearchParams(shown === 'stored' ? { show: 'stored' } : {}),
};

/** The quantizations of a model and of its repo on Hugging Face: how large each is, where it is, and what can be done with it. */
export function QuantizationList({ model, ...acts }: { readonly model: ShownModel } & QuantizationActs): ReactElement | null {
  const { topics } = useStore();
  const { model_id: modelId, revision } = model;
  const [shown, setShown] = useInAddress(shownAddress);
  const offered = useOffered(model);
  const stored = model.quantizations ?? [];
  if (stored.length === 0) return null;
  const downloads = (topics.downloads?.downloads ?? []).filter(
    (one) => one.modelId === modelId && (isComing(one) || (one.status === 'failed' && one.error_code !== 'CANCELLED' && hasAsked(modelId))),
  );
  const all = listRows(stored, offered.quantizations ?? [], downloads);
  const rows = shown === 'all' ? all : all.filter((one) => one.stored !== undefined);
  const largest = Math.max(...all.map(({ bytes }) => bytes));
  const total = stored.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const isWider = all.length > stored.length;
  return (
    <section className="card flush" aria-labelledby="quantizations">
      <header className="card-head">
        <h2 id="quantizations">Quantizations</h2>
        <p className="muted">
          {isWider ? `${stored.length} of ${all.length} in the store` : `${stored.length} in the store`}, {formatBytes(total)}
        </p>
        {isWider && (
          <fieldset className="segments">
            <legend className="visually-hidden">Which quantizations are shown</legend>
            <button type="button" aria-pressed={shown === 'all'} onClick={() => setShown('all')}>
              All {all.length}
            </button>
            <button type="button" aria-pressed={shown === 'stored'} onClick={() => setShown('stored')}>
              In the store {stored.length}
            </button>
          </fieldset>
        )}
      </header>
      <table className="list quantizations">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="number spare col-bits">
              Bits
            </th>
            <th scope="col" className="number col-size">
              Size
            </th>
            <th scope="col" className="wide-only col-store">
              Store
            </th>
            <th scope="col" className="spare col-staged">
              Staged on
            </th>
            <th scope="col" className="actions">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) =>
            row.stored === undefined ? (
              <AbsentRow
                key={`${row.name} ${row.offered?.gguf_file ?? row.download?.download_id}`}
                row={row}
                modelId={modelId}
                revision={revision ?? undefined}
                largest={largest}
              />
            ) : (
              <StoredRow
                key={row.name}
                modelId={modelId}
                quantization={row.stored}
                largest={largest}
                problems={(model.problems ?? []).filter(({ selector }) => selector === row.name)}
                {...acts}
              />
            ),
          )}
        </tbody>
      </table>
      <OnlyStored modelId={modelId} offered={offered} />
    </section>
  );
}

/** Says why only what the store has is shown. */
function OnlyStored({
  modelId,
  offered: { quantizations, error, retry },
}: {
  readonly modelId: string;
  readonly offered: Offered;
}): ReactElement | null {
  const { models: lock } = useLocks();
  const isPython = useIsPythonHost();
  if (isPython || quantizations !== undefined) return null;
  if (error === undefined)
    return lock !== undefined ? null : (
      <p className="card-line">
        <Link to={formatAddAddress({ words: '', asked: { modelId, revision: undefined, selector: undefined } })}>
          Look for other quantizations on Hugging Face
        </Link>
      </p>
    );
  const isSilent = error.code === 'HUB_UNREACHABLE' || error.code === 'HUB_BUSY' || error.status === 0;
  return (
    <div className="card-line only-stored" role="status">
      <p className="muted">
        {isSilent ? 'Hugging Face does not answer.' : <Sentence text={error.message} />} Only quantizations in the store are shown.
      </p>
      <Button icon="retry" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
