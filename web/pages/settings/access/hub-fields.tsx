import { type ReactElement, useId } from 'react';
import type { PolicyView } from '../../../../src/core/protocol/settings.ts';
import { RadioList } from '../../../parts/radio-list.tsx';

/** The settings for Hub clients, as typed. */
export interface HubDraft {
  readonly upstream: string;
  readonly gibibytes: string;
  readonly isGatedShared: boolean;
  readonly origins: string;
}

const gib = 1024 ** 3;

const choices = [
  { value: 'on-demand', name: 'Fetch each file', help: 'Clients get a file while the store fetches it.' },
  { value: 'job', name: 'Download the model first', help: 'Clients wait for large files until the download has them.' },
  { value: 'off', name: 'Fetch nothing', help: 'Clients get only what the store holds. Hugging Face is never asked for them.' },
] as const;

/** The section `hub` of the policy. */
export function HubFields({
  draft,
  onChange,
}: {
  readonly draft: HubDraft;
  readonly onChange: (changes: Partial<HubDraft>) => void;
}): ReactElement {
  const field = useId();
  return (
    <fieldset className="stack">
      <legend>Programs that use the store as a Hub, when it lacks a model</legend>
      <RadioList choices={choices} value={draft.upstream} onChange={(upstream) => onChange({ upstream })} />
      <div className="field">
        <label htmlFor={`${field}-most`}>Fetch at most this much of one model (GiB)</label>
        <input
          id={`${field}-most`}
          type="text"
          inputMode="decimal"
          className="short"
          autoComplete="off"
          value={draft.gibibytes}
          aria-describedby={`${field}-most-help`}
          onChange={(event) => onChange({ gibibytes: event.target.value })}
        />
        <p id={`${field}-most-help`} className="muted field-help">
          It applies to requests of such programs. A download that you start has no limit.
        </p>
      </div>
      <label className="check">
        <input type="checkbox" checked={draft.isGatedShared} onChange={(event) => onChange({ isGatedShared: event.target.checked })} />
        <span>Show them models that are gated on Hugging Face</span>
      </label>
      <div className="field">
        <label htmlFor={`${field}-origins`}>Web pages that may use the store as a Hub</label>
        <input
          id={`${field}-origins`}
          type="text"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={draft.origins}
          aria-describedby={`${field}-origins-help`}
          onChange={(event) => onChange({ origins: event.target.value })}
        />
        <p id={`${field}-origins-help`} className="muted field-help">
          Their origins, separated by commas, e.g. https://chat.example.com. Pages of this machine always may.
        </p>
      </div>
    </fieldset>
  );
}

/** The current settings; undefined for a store without this section. */
export function hubOf({ policy: { hub } }: PolicyView): HubDraft | undefined {
  if (typeof hub !== 'object' || hub === null) return undefined;
  const { upstream, max_fetch_bytes, share_gated, cors_origins } = hub as Readonly<Record<string, unknown>>;
  return {
    upstream: String(upstream),
    gibibytes: typeof max_fetch_bytes === 'number' ? String(max_fetch_bytes / gib) : '',
    isGatedShared: share_gated === true,
    origins: Array.isArray(cors_origins) ? cors_origins.join(', ') : '',
  };
}

/** The changes, by key. The server reports an invalid value; an empty number restores the default. */
export function hubChanges(saved: HubDraft, draft: HubDraft): Readonly<Record<string, unknown>> {
  return {
    ...(draft.upstream !== saved.upstream && { upstream: draft.upstream }),
    ...(draft.gibibytes !== saved.gibibytes && { max_fetch_bytes: bytesOf(draft.gibibytes) }),
    ...(draft.isGatedShared !== saved.isGatedShared && { share_gated: draft.isGatedShared }),
    ...(draft.origins !== saved.origins && { cors_origins: draft.origins.split(/[\s,]+/).filter((origin) => origin !== '') }),
  };
}

function bytesOf(text: string): number | string | null {
  if (text.trim() === '') return null;
  return /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Math.round(Number(text) * gib) : text;
}
