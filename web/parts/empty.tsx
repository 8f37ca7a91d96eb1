import type { ReactElement, ReactNode } from 'react';

/** The text of an empty list or page. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}
