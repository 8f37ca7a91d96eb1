import { type ReactElement, useId } from 'react';
import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { OfferedQuantization } from '../../../../src/core/protocol/models.ts';
import { presenceOf } from '../../../api/offer-presence.ts';
import { formatBytes } from '../../../parts/format.ts';

/** One of several quantizations: how large each is, and whether the store has it. */
export function Choice({
  quantizations,
  downloads,
  chosen,
  onChoose,
}: {
  readonly quantizations: readonly OfferedQuantization[];
  /** Those of the same model. */
  readonly downloads: readonly DownloadStatus[];
  readonly chosen: string | undefined;
  readonly onChoose: (ggufFile: string) => void;
}): ReactElement {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend>Quantization</legend>
      <div className="choice-list">
        {quantizations.map((one) => {
          const { label, gguf_file, size_bytes, is_preferred } = one;
          const presence = presenceOf(one, downloads);
          return (
            <label key={gguf_file} className="choice-item">
              <input type="radio" name={name} value={gguf_file} checked={gguf_file === chosen} onChange={() => onChoose(gguf_file)} />
              <span className="choice-name">{label}</span>
              {is_preferred && <span className="badge">recommended</span>}
              {presence === 'stored' && <span className="badge good">in the store</span>}
              {presence === 'older' && (
                <span className="badge warn" title="The store has these weights with other content. Downloading them again updates them.">
                  older in the store
                </span>
              )}
              {presence === 'coming' && <span className="badge move">downloading</span>}
              <span className="choice-size">{formatBytes(size_bytes)}</span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
