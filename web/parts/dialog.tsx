import { type ReactElement, type ReactNode, type RefObject, useId, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { IconButton } from './button.tsx';

/** The open dialogs, the topmost one last. */
const open: HTMLElement[] = [];
const changed = 'skulk:dialogs';

function subscribe(listener: () => void): () => void {
  addEventListener(changed, listener);
  return () => removeEventListener(changed, listener);
}

/** The dialog that is above all others; undefined when none is open. */
export const useTopDialog = (): HTMLElement | undefined => useSyncExternalStore(subscribe, () => open.at(-1));

/** Opens a dialog above everything else as long as it is on the page. It holds the focus, and what opened it has the focus again afterwards. */
export function useModal(dialog: RefObject<HTMLDialogElement | null>): void {
  // Before the element goes, so that the browser gives the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    element.showModal();
    open.push(element);
    dispatchEvent(new Event(changed));
    return () => {
      open.splice(open.indexOf(element), 1);
      dispatchEvent(new Event(changed));
      element.close();
    };
  }, [dialog]);
}

/** A dialog over the page. It holds the focus, Escape closes it, and what opened it has the focus again afterwards. */
export function Dialog({
  title,
  children,
  size = 'medium',
  onClose,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
  readonly size?: 'medium' | 'wide';
  readonly onClose: () => void;
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useModal(dialog);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${size}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}
