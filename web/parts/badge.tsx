import type { ReactElement } from 'react';
import { plural } from './format.ts';

/** What a tag means, for a person who meets it the first time. */
const meanings: Readonly<Record<string, string>> = {
  vision: 'Accepts images.',
  thinking: 'Reasons before it answers.',
  embedding: 'Computes text embeddings.',
  tensor: 'Supports tensor parallelism across machines.',
  optiq: 'Quantized with a different bit width per layer.',
};

/** A tag of a model. */
export function TagBadge({ tag }: { readonly tag: string }): ReactElement {
  return (
    <span className="badge tag" title={meanings[tag]}>
      {tag}
    </span>
  );
}

/** So many tags stay where there is little room. */
const firstTags = 2;

/** The tags of a model, as a list; nothing when there are none. Where a table has little room, the last ones give way to their number. */
export function Tags({ tags }: { readonly tags: readonly string[] }): ReactElement | null {
  if (tags.length === 0) return null;
  const others = tags.slice(firstTags);
  return (
    <ul className="tags" aria-label="Tags">
      {tags.map((tag) => (
        <li key={tag}>
          <TagBadge tag={tag} />
        </li>
      ))}
      {others.length > 0 && (
        <li className="more-tags">
          {/* A button, so that a finger and the keyboard can reach the names. */}
          <button type="button" className="badge tag" aria-label={`${plural(others.length, 'more tag')}: ${others.join(', ')}`}>
            +{others.length}
            <span className="hint" aria-hidden="true">
              {others.join(', ')}
            </span>
          </button>
        </li>
      )}
    </ul>
  );
}
