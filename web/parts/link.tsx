import type { MouseEvent, ReactElement, ReactNode } from 'react';
import { navigate } from './route.ts';

/** A link inside the page; opening it in a new tab works as usual. */
export function Link({
  to,
  children,
  className,
  isCurrent = false,
}: {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly isCurrent?: boolean;
}): ReactElement {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} className={className} onClick={follow} aria-current={isCurrent ? 'page' : undefined}>
      {children}
    </a>
  );
}
