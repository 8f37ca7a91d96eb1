import type { ReactElement } from 'react';

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

/** The tags of a model, as a list; nothing when there are none. */
export function Tags({ tags }: { readonly tags: readonly string[] }): ReactElement | null {
  if (tags.length === 0) return null;
  return (
    <ul className="tags" aria-label="Tags">
      {tags.map((tag) => (
        <li key={tag}>
          <TagBadge tag={tag} />
        </li>
      ))}
    </ul>
  );
}
