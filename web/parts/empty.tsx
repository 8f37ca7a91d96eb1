import type { ReactElement, ReactNode } from 'react';

/** What stands where there is nothing yet. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}
