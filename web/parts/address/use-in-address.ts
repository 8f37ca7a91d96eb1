import { useEffect, useRef, useState } from 'react';
import { navigate, useRoute } from '../route.ts';
import type { AddressFormat } from './address-format.ts';

/**
 * A value that a reload, a link and the back button keep. It is also kept here: browsers refuse changes of the address that come too fast,
 * and no typed character may be lost.
 */
export function useInAddress<T>({ parse, format }: AddressFormat<T>): readonly [T, (next: T) => void] {
  const { path, query } = useRoute();
  const address = format(parse(query)).toString();
  const [value, setValue] = useState(() => parse(query));
  const written = useRef(address);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another address brings another value
  useEffect(() => {
    if (address === written.current) return;
    written.current = address;
    setValue(parse(query));
  }, [address]);
  const change = (next: T): void => {
    setValue(next);
    written.current = format(next).toString();
    try {
      navigate(written.current === '' ? path : `${path}?${written.current}`, { replace: true });
    } catch {
      // The next change writes the address again.
    }
  };
  return [value, change];
}
