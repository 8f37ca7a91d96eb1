import { useEffect, useRef, useState } from 'react';
import type { RefParts } from '../../api/model-ref.ts';
import { type AddAddress, formatAddAddress, parseAddAddress } from '../../parts/address/add-address.ts';
import { navigate, useRoute } from '../../parts/route.ts';

/** As a person would type it: `org/name@v1:Q4_K_M`. */
const formatAsked = ({ modelId, revision, selector }: RefParts): string =>
  `${modelId}${revision === undefined ? '' : `@${revision}`}${selector === undefined ? '' : `:${selector}`}`;

/** What the page shows, which its address keeps, and the text of its field. */
export function useAddAddress(): AddAddress & {
  /** The text of the field. */
  readonly text: string;
  /** Searches for other words. */
  readonly type: (text: string) => void;
  /** Opens a model. */
  readonly open: (asked: RefParts) => void;
} {
  const { path, query } = useRoute();
  const at = parseAddAddress(path, query);
  const { words, asked } = at;
  const address = formatAddAddress(at);
  const shown = asked === undefined ? words : formatAsked(asked);
  const [text, setText] = useState(shown);
  const written = useRef(address);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another address brings another text
  useEffect(() => {
    if (address === written.current) return;
    written.current = address;
    setText(shown);
  }, [address]);
  return {
    words,
    asked,
    text,
    type: (typed) => {
      setText(typed);
      const next = formatAddAddress({ words: typed });
      written.current = next;
      try {
        navigate(next, { replace: asked === undefined });
      } catch {
        // Browsers refuse changes that come too fast. The next one writes the address again.
      }
    },
    open: (named) => navigate(formatAddAddress({ words: asked === undefined ? text.trim() : words, asked: named })),
  };
}
