import { type ReactElement, useRef, useState } from 'react';
import { useLocks } from '../../../parts/access/locks.ts';
import { Icon } from '../../../parts/icon.tsx';
import { formatNamed } from '../../store/quantizations.ts';
import { type Stageable, StageMenu } from './stage-menu.tsx';

/** Opens the machines that can stage a model; the same everywhere. Locked where this tab may stage on none of them. */
export function StageButton({
  what,
  tone = 'plain',
  isQuiet = false,
  isWideOnly = false,
  lock: given,
  keys,
}: {
  readonly what: Stageable;
  readonly tone?: 'primary' | 'plain';
  /** Whether it is one of the actions of a row. */
  readonly isQuiet?: boolean;
  /** Whether a phone has it elsewhere. */
  readonly isWideOnly?: boolean;
  /** A further reason why it may not be pressed. */
  readonly lock?: string | undefined;
  /** As of `Button`. */
  readonly keys?: string;
}): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const { copiesHere, models } = useLocks();
  const lock = given ?? (copiesHere === undefined ? undefined : models);
  const name = formatNamed(what);
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`button ${isQuiet ? 'quiet row-action' : tone} ${isWideOnly ? 'wide-only' : ''}`}
        aria-label={`Stage ${name}`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-disabled={lock !== undefined || undefined}
        aria-keyshortcuts={keys}
        title={lock ?? `Stage ${name}`}
        onClick={lock === undefined ? () => setOpen(true) : undefined}
      >
        <Icon name={lock === undefined ? 'machine' : 'lock'} />
        <span className={isQuiet ? 'wide-only' : undefined}>Stage</span>
        <Icon name="down" />
      </button>
      {isOpen && <StageMenu what={what} anchor={button} onClose={() => setOpen(false)} />}
    </>
  );
}
