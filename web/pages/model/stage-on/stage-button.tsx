import { type ReactElement, useRef, useState } from 'react';
import { Icon } from '../../../parts/icon.tsx';
import { type Stageable, StageMenu } from './stage-menu.tsx';

/** Opens the machines that can stage a model. */
export function StageButton({ what }: { readonly what: Stageable }): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button ref={button} type="button" className="button" aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => setOpen(true)}>
        <Icon name="machine" />
        Stage on other machines…
        <Icon name="down" />
      </button>
      {isOpen && <StageMenu what={what} anchor={button} onClose={() => setOpen(false)} />}
    </>
  );
}
