import { useCallback, useEffect, useMemo, useState } from 'react';
import type { ConfigView } from '../../../src/core/protocol/settings.ts';
import { asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { checkValue, type Schema, schemaAt } from '../../api/check-value.ts';
import { useApp } from '../../parts/app-context.ts';
import { findProblems } from './find-problems.ts';
import { nest, type SettingKey, type SettingValue, settingOf } from './keys.ts';
import { useSchema } from './use-schema.ts';

/** Edited settings before they are saved. */
export interface Draft {
  value(key: SettingKey): SettingValue;
  set(key: SettingKey, value: SettingValue): void;
  /** The reason why a value is invalid, as a sentence. */
  problemOf(key: SettingKey): string | undefined;
  readonly changed: readonly SettingKey[];
  /** There are changes to save, without a known problem. */
  readonly maySave: boolean;
  discard(): void;
  /** Throws an ApiError. */
  save(): Promise<void>;
}

/** The delay between the last key and the check by the server. */
const restMs = 350;

/**
 * Holds changes and validates them while the user types: by the schema at once, and by the server, which knows the disk, a moment later.
 */
export function useDraft(shown: ConfigView): Draft {
  const { client } = useApp();
  const schema = useSchema();
  const [answer, setAnswer] = useState<{ readonly view: ConfigView; readonly before: ConfigView }>();
  // The answer of a save may arrive before the event with the new settings.
  const view = answer?.before === shown ? answer.view : shown;
  const [draft, setDraft] = useState<ReadonlyMap<SettingKey, SettingValue>>(new Map());
  const [found, setFound] = useState<ReadonlyMap<SettingKey, string>>(new Map());
  const changes = useMemo(() => new Map([...draft].filter(([key, value]) => value !== settingOf(view, key))), [draft, view]);
  const faults = useMemo(() => faultsOf(changes, schema), [changes, schema]);
  useEffect(() => {
    const ending = new AbortController();
    const possible = new Map([...changes].filter(([key]) => !faults.has(key)));
    const look = async (): Promise<void> => {
      const check = (some: ReadonlyMap<SettingKey, SettingValue>): Promise<unknown> =>
        client.send(callOf('PUT /config', {}, { dry_run: true }), nest(some), ending.signal);
      const problems = await findProblems(possible, check);
      if (!ending.signal.aborted) setFound(problems);
    };
    // Without an answer there is no known problem; saving reports one.
    const timer = setTimeout(() => void look().catch(() => {}), restMs);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [client, changes, faults]);
  const discard = useCallback(() => setDraft(new Map()), []);
  return {
    value: (key) => (draft.has(key) ? (draft.get(key) ?? null) : settingOf(view, key)),
    set: (key, value) => setDraft((before) => new Map([...before].filter(([one]) => one !== key)).set(key, value)),
    problemOf: (key) => faults.get(key) ?? (changes.has(key) ? found.get(key) : undefined),
    changed: [...changes.keys()],
    maySave: changes.size > 0 && faults.size === 0 && ![...changes.keys()].some((key) => found.has(key)),
    discard,
    save: async () => {
      const saved = await client.send<ConfigView>(callOf('PUT /config', {}), nest(changes)).catch((error: unknown) => {
        throw asApiError(error);
      });
      setAnswer({ view: saved, before: shown });
      setDraft((before) => new Map([...before].filter(([key, value]) => value !== draft.get(key))));
    },
  };
}

function faultsOf(changes: ReadonlyMap<SettingKey, SettingValue>, schema: Schema | undefined): ReadonlyMap<SettingKey, string> {
  if (schema === undefined) return new Map();
  const faults = [...changes].map(([key, value]) => [key, checkValue(schemaAt(schema, key.split('.')) ?? {}, value)] as const);
  return new Map(faults.filter((fault): fault is readonly [SettingKey, string] => fault[1] !== undefined));
}
