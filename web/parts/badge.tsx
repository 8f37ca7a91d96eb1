import type { ReactElement } from 'react';

/** What a tag means, for whoever meets it the first time. */
const meanings: Readonly<Record<string, string>> = {
  vision: 'It reads pictures as well.',
  thinking: 'It thinks before it answers.',
  embedding: 'It makes vectors of texts.',
  tensor: 'It can be spread over several machines, tensor by tensor.',
  optiq: 'Its quantization was chosen layer by layer.',
};

/** A tag of a model. */
export function TagBadge({ tag }: { readonly tag: string }): ReactElement {
  return (
    <span className={`badge tag-${tag}`} title={meanings[tag]}>
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
