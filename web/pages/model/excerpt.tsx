import { type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from '../../parts/button.tsx';

/** What is higher than this, in pixels, is shown in part. */
const maxHeight = 300;

/** The beginning of a long text, so that what follows it is in reach, and a button that shows the rest. */
export function Excerpt({ of, children }: { readonly of: string; readonly children: ReactNode }): ReactElement {
  const content = useRef<HTMLDivElement>(null);
  const [isLong, setLong] = useState(false);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const { current } = content;
    if (current === null) return;
    const observer = new ResizeObserver(() => setLong(current.offsetHeight > maxHeight));
    observer.observe(current);
    // A link in the hidden part that gets the focus must be seen.
    const open = (): void => setOpen(true);
    current.addEventListener('focusin', open);
    return () => {
      observer.disconnect();
      current.removeEventListener('focusin', open);
    };
  }, []);
  return (
    <>
      <div className={isLong && !isOpen ? 'excerpt cut' : 'excerpt'}>
        <div ref={content}>{children}</div>
      </div>
      {isLong && (
        <Button isExpanded={isOpen} label={isOpen ? `Show less of ${of}` : `Read all of ${of}`} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Show less' : 'Read all'}
        </Button>
      )}
    </>
  );
}
