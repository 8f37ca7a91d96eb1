import { useEffect, useState } from 'react';

/** The header of the page covers so many pixels. */
const headerHeight = 64;

/** Whether a person reads a part of the page now: the pointer or the focus is in it, or its start is above the window. */
export function useReader(part: HTMLElement | null): boolean {
  const [isRead, setRead] = useState(false);
  useEffect(() => {
    if (part === null) return setRead(false);
    const look = (focused: EventTarget | null): void => {
      // A finger leaves no pointer where it was.
      const isHovered = matchMedia('(hover: hover)').matches && part.matches(':hover');
      const isScrolled = scrollY > 0 && part.getBoundingClientRect().top < headerHeight;
      setRead(isHovered || isScrolled || (focused instanceof Node && part.contains(focused)));
    };
    const lookNow = (): void => look(document.activeElement);
    const ending = new AbortController();
    const { signal } = ending;
    for (const event of ['pointerenter', 'pointerleave', 'focusin']) part.addEventListener(event, lookNow, { signal });
    part.addEventListener('focusout', ({ relatedTarget }) => look(relatedTarget), { signal });
    addEventListener('scroll', lookNow, { signal, passive: true });
    lookNow();
    return () => ending.abort();
  }, [part]);
  return isRead;
}
