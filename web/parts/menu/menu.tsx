import { type KeyboardEvent, type ReactElement, type ReactNode, type RefObject, useId, useLayoutEffect, useRef } from 'react';
import { IconButton } from '../button.tsx';
import { useModal } from '../dialog.tsx';

/** The distance to the edges of the window, in pixels. */
const edge = 8;

/** Actions or choices below the button that opened them; on a phone they come from the bottom edge. Escape and a click elsewhere close it. */
export function Menu({
  title,
  anchor,
  size = 'small',
  onClose,
  children,
}: {
  readonly title: string;
  /** The button that opened it. */
  readonly anchor: RefObject<HTMLElement | null>;
  readonly size?: 'small' | 'large';
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before it opens, in the middle of the window: the browser scrolls to what gets the focus, and without a place that is the start of the page.
  useLayoutEffect(() => dialog.current?.style.setProperty('--menu-top', `${scrollY + innerHeight / 3}px`), []);
  useModal(dialog);
  useLayoutEffect(() => {
    if (dialog.current === null) return;
    if (anchor.current !== null) placeBelow(dialog.current, anchor.current);
    itemsOf(dialog.current)[0]?.focus({ preventScroll: true });
  }, [anchor]);
  return (
    <dialog
      ref={dialog}
      className={`menu ${size}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={moveFocus}
    >
      <div className="menu-box">
        <div className="menu-head">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}

/** Puts a menu below its button, or above it where there is no room; it moves with the page. */
function placeBelow(menu: HTMLElement, anchor: HTMLElement): void {
  const button = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(edge, Math.min(button.right - width, innerWidth - width - edge));
  const isBelow = button.bottom + height + edge <= innerHeight || button.top < height + edge;
  const top = isBelow ? button.bottom + 4 : button.top - height - 4;
  menu.style.setProperty('--menu-left', `${left + scrollX}px`);
  menu.style.setProperty('--menu-top', `${top + scrollY}px`);
}

/** What can be pressed in a menu now. */
const itemsOf = (menu: HTMLElement): readonly HTMLElement[] =>
  [...menu.querySelectorAll<HTMLElement>('.menu-item:not(:disabled)')].filter((one) => one.offsetParent !== null);

/** The arrow keys go from one button to the next. */
function moveFocus(event: KeyboardEvent<HTMLDialogElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || event.target instanceof HTMLSelectElement) return;
  const buttons = itemsOf(event.currentTarget);
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? (step === 1 ? 0 : buttons.length - 1) : (at + step + buttons.length) % buttons.length;
  buttons[next]?.focus();
  event.preventDefault();
}
