import type { ReactElement, ReactNode } from 'react';
import { Icon, type IconName } from '../icon.tsx';

/** An action in a menu. One that this tab may not do keeps its place, with the reason. */
export function MenuItem({
  icon,
  children,
  lock,
  tone = 'plain',
  isNarrowOnly = false,
  onClick,
}: {
  readonly icon: IconName;
  readonly children: ReactNode;
  /** As of `Button`. */
  readonly lock?: string | undefined;
  readonly tone?: 'plain' | 'danger';
  /** Whether it is only for phones, where no button beside the menu does it. */
  readonly isNarrowOnly?: boolean;
  readonly onClick: () => void;
}): ReactElement {
  return (
    <button
      type="button"
      className={`menu-item ${tone} ${isNarrowOnly ? 'narrow-only' : ''}`}
      aria-disabled={lock !== undefined || undefined}
      title={lock}
      onClick={lock === undefined ? onClick : undefined}
    >
      <Icon name={lock === undefined ? icon : 'lock'} />
      <span>
        {children}
        {lock !== undefined && <span className="menu-lock">{lock}</span>}
      </span>
    </button>
  );
}
