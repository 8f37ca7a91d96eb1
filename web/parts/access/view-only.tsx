import { type ReactElement, useState } from 'react';
import { Button } from '../button.tsx';
import { Icon } from '../icon.tsx';
import { AccessDialog } from './access-dialog.tsx';
import { useLocks } from './locks.ts';

/** Explains once on a page that it is read-only, with a link to change that; empty if it is not. */
export function ViewOnly(): ReactElement | null {
  const { models } = useLocks();
  const [isOpen, setOpen] = useState(false);
  if (models === undefined) return null;
  return (
    <section className="callout note view-only" aria-label="View only">
      <Icon name="lock" />
      <p>{models}</p>
      <Button onClick={() => setOpen(true)}>Enter a token</Button>
      {isOpen && <AccessDialog onClose={() => setOpen(false)} />}
    </section>
  );
}
