import { useApp, useStore } from '../../parts/app-context.ts';

/** The free space of the store's disk, in bytes, and the store host; undefined until it is known. */
export function useRoom(): { readonly freeBytes: number; readonly host: string } | undefined {
  const { identity } = useApp();
  const { health } = useStore().topics;
  return health && { freeBytes: health.freeBytes, host: health.hostname || identity.hostname };
}
