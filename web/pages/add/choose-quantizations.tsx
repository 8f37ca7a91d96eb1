import type { ReactElement } from 'react';
import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../../src/core/protocol/models/hub-offer.ts';
import { isDownloadOf, presenceOf } from '../../api/offer-presence.ts';
import { Icon } from '../../parts/icon.tsx';
import { Size } from '../../parts/size.tsx';
import { CancelDownload, DownloadState } from '../store/moving/download-row.tsx';

const isRunning = ({ status }: DownloadStatus): boolean => status === 'pending' || status === 'downloading';

/** The quantizations of a repo, largest first: any number can be chosen, except those that the store has or is downloading. */
export function ChooseQuantizations({
  quantizations,
  downloads,
  chosen,
  lock,
  onChoose,
}: {
  readonly quantizations: readonly OfferedQuantization[];
  /** Those of the same model. */
  readonly downloads: readonly DownloadStatus[];
  readonly chosen: ReadonlySet<string>;
  readonly lock: string | undefined;
  readonly onChoose: (ggufFile: string, isChosen: boolean) => void;
}): ReactElement {
  const sorted = quantizations.toSorted((a, b) => b.size_bytes - a.size_bytes);
  const largest = sorted[0]?.size_bytes ?? 0;
  return (
    <table className="list choose">
      <thead>
        <tr>
          <th scope="col">Quantization</th>
          <th scope="col" className="number wide-only">
            Bits
          </th>
          <th scope="col" className="number">
            Size
          </th>
          <th scope="col" className="choose-state">
            Store
          </th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((one) => {
          const { gguf_file, size_bytes, bits_per_weight } = one;
          const presence = presenceOf(one, downloads);
          const download = presence === 'coming' ? downloads.find((coming) => isRunning(coming) && isDownloadOf(coming, one)) : undefined;
          const isFree = presence === 'absent' || presence === 'older';
          return (
            <tr key={gguf_file} className={isFree && chosen.has(gguf_file) ? 'chosen' : undefined}>
              <th scope="row" className="path">
                {isFree ? (
                  <label className="choose-name">
                    <input
                      type="checkbox"
                      value={gguf_file}
                      checked={chosen.has(gguf_file)}
                      onChange={(event) => onChoose(gguf_file, event.target.checked)}
                    />
                    <Name of={one} />
                  </label>
                ) : (
                  <div className={presence === 'stored' ? 'choose-name held' : 'choose-name held coming'}>
                    <Icon name={presence === 'stored' ? 'check' : 'download'} />
                    <Name of={one} />
                  </div>
                )}
              </th>
              <td className="number wide-only">{bits_per_weight?.toFixed(2) ?? '?'}</td>
              <td className="number">
                <Size bytes={size_bytes} largest={largest} />
              </td>
              <td>
                {presence === 'stored' && <span className="badge good">in the store</span>}
                {presence === 'older' && (
                  <span className="badge warn" title="The store has these weights with other content. Downloading them again updates them.">
                    older in the store
                  </span>
                )}
                {presence === 'absent' && <span className="muted">–</span>}
                {download !== undefined && (
                  <div className="row-move">
                    <DownloadState download={download} />
                    <CancelDownload download={download} lock={lock} />
                  </div>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Name({ of: { label, is_preferred } }: { readonly of: OfferedQuantization }): ReactElement {
  return (
    <>
      <span className="label">{label}</span> {is_preferred && <span className="badge tag">recommended</span>}
    </>
  );
}
