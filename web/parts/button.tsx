import { type ReactElement, type ReactNode, useEffect, useRef } from 'react';
import { Icon, type IconName } from './icon.tsx';

/** The properties of a button. */
export interface ButtonProps {
  readonly children: ReactNode;
  readonly icon?: IconName | undefined;
  readonly tone?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly disabled?: boolean;
  /** Why it may not be pressed in this tab, as a sentence; it keeps its place and says so. */
  readonly lock?: string | undefined;
  readonly onClick?: (() => void) | undefined;
  readonly isSubmit?: boolean;
  /** What is said instead of the words on it, where several have the same. */
  readonly label?: string | undefined;
  /** Takes the focus when it appears, where what had it has gone. */
  readonly takesFocus?: boolean;
  /** Of a button that opens something: whether that is open. */
  readonly isExpanded?: boolean | undefined;
  /** The key of the page that presses it. */
  readonly keys?: string | undefined;
}

/** A button with words. */
export function Button({
  children,
  icon,
  tone = 'plain',
  disabled = false,
  lock,
  onClick,
  isSubmit = false,
  label,
  takesFocus = false,
  isExpanded,
  keys,
}: ButtonProps): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (takesFocus) button.current?.focus();
  }, [takesFocus]);
  return (
    <button
      ref={button}
      type={isSubmit && lock === undefined ? 'submit' : 'button'}
      className={`button ${tone}`}
      disabled={disabled}
      aria-disabled={lock !== undefined || undefined}
      title={lock}
      onClick={lock === undefined ? onClick : undefined}
      aria-label={label}
      aria-expanded={isExpanded}
      aria-keyshortcuts={keys}
    >
      {lock !== undefined ? <Icon name="lock" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button with a picture alone; its label says what it does. */
export function IconButton({
  icon,
  label,
  disabled = false,
  lock,
  onClick,
}: {
  readonly icon: IconName;
  readonly label: string;
  readonly disabled?: boolean;
  /** As of `Button`. */
  readonly lock?: string | undefined;
  readonly onClick: () => void;
}): ReactElement {
  return (
    <button
      type="button"
      className="button quiet square"
      disabled={disabled}
      aria-disabled={lock !== undefined || undefined}
      onClick={lock === undefined ? onClick : undefined}
      aria-label={label}
      title={lock ?? label}
    >
      <Icon name={lock === undefined ? icon : 'lock'} />
    </button>
  );
}
