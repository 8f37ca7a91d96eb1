import { type ReactElement, useEffect, useMemo, useRef } from 'react';
import { cleanHtml, type ReadmePlace } from './clean-html.ts';
import { parseMarkdown } from './parse-markdown.ts';

/**
 * A README in Markdown, cleaned of everything that untrusted text must not do to this page. If it cannot be parsed, or not in time, it is
 * shown as text.
 */
export function Readme({ text, place }: { readonly text: string; readonly place: ReadmePlace }): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const content = useMemo(() => tryToRead(text, place), [text, place]);
  useEffect(() => {
    if (content !== undefined) box.current?.replaceChildren(content.cloneNode(true));
  }, [content]);
  if (content === undefined) return <pre className="readme-plain">{text}</pre>;
  return <div ref={box} className="readme" />;
}

/** The limit for nested HTML elements, because cleaning takes the square of the depth. */
const maxTags = 5_000;

/** Very deep nesting ends any parser. */
function tryToRead(text: string, place: ReadmePlace): DocumentFragment | undefined {
  if ((text.match(/<[a-z]/gi)?.length ?? 0) > maxTags) return undefined;
  try {
    return cleanHtml(parseMarkdown(text), place);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
