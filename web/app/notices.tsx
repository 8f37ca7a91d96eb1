import { type ReactElement, useCallback, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { IconButton } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { useTopDialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';

/** A short message about something that has no place on the page. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'bad';
}

const shownMs = 6_000;
const maxShown = 2;

/** The messages that are shown, and how to show one more. */
export function useNotices(): {
  readonly notices: readonly Notice[];
  readonly tell: (text: string, tone?: Notice['tone']) => void;
  readonly dismiss: (id: number) => void;
} {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const last = useRef(0);
  const dismiss = useCallback((id: number) => setNotices((now) => now.filter((one) => one.id !== id)), []);
  const tell = useCallback((text: string, tone: Notice['tone'] = 'good') => {
    last.current += 1;
    const id = last.current;
    setNotices((now) => [...now.slice(1 - maxShown), { id, text, tone }]);
  }, []);
  return { notices, tell, dismiss };
}

/** The place of the messages: above everything, and inside the dialog that is open, as the rest of the page cannot be used then. */
export function Notices({
  notices,
  dismiss,
}: {
  readonly notices: readonly Notice[];
  readonly dismiss: (id: number) => void;
}): ReactElement {
  const dialog = useTopDialog();
  return createPortal(
    <div ref={showOnTop} popover="manual" className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <OneNotice key={notice.id} {...notice} onDismiss={() => dismiss(notice.id)} />
      ))}
    </div>,
    dialog ?? document.body,
  );
}

function showOnTop(element: HTMLElement | null): void {
  if (element?.matches(':popover-open') === false) element.showPopover();
}

/** One message. A good one goes by itself, but not while it is read with the pointer or the focus on it. */
function OneNotice({ text, tone, onDismiss }: Notice & { readonly onDismiss: () => void }): ReactElement {
  const [isHeld, setHeld] = useState(false);
  const end = useRef(onDismiss);
  end.current = onDismiss;
  useEffect(() => {
    if (tone !== 'good' || isHeld) return;
    const timer = setTimeout(() => end.current(), shownMs);
    return () => clearTimeout(timer);
  }, [tone, isHeld]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing happens here but that it stays.
    <div
      className={`notice ${tone}`}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon name={tone === 'good' ? 'check' : 'warning'} />
      <p>{text}</p>
      {tone === 'bad' && <CopyButton text={text} what="the message" />}
      <IconButton icon="close" label="Dismiss" onClick={onDismiss} />
    </div>
  );
}
