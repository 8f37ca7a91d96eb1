import { useEffect, useState } from 'react';
import { callOf } from '../../api/call.ts';
import type { Schema } from '../../api/check-value.ts';
import { useApp, useNode } from '../../parts/app-context.ts';

/** The schema of the settings, the same one that the server uses; undefined until it is loaded. */
export function useSchema(): Schema | undefined {
  const { client } = useApp();
  const { round } = useNode();
  const [schema, setSchema] = useState<Schema>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a server that was restarted may have another one.
  useEffect(() => {
    const ending = new AbortController();
    client.get<Schema>(callOf('GET /config/schema', {}), ending.signal).then(setSchema, () => {});
    return () => ending.abort();
  }, [client, round]);
  return schema;
}
