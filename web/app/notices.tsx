import { type ReactElement, useCallback, useRef, useState } from 'react';
import { IconButton } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';

/** Something that was said. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'bad';
}

const goodMs = 8_000;
const most = 4;

/** What is being said, and how to say more. */
export function useNotices(): {
  readonly notices: readonly Notice[];
  readonly tell: (text: string, tone?: Notice['tone']) => void;
  readonly dismiss: (id: number) => void;
} {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const last = useRef(0);
  const dismiss = useCallback((id: number) => setNotices((now) => now.filter((one) => one.id !== id)), []);
  const tell = useCallback(
    (text: string, tone: Notice['tone'] = 'good') => {
      last.current += 1;
      const id = last.current;
      setNotices((now) => [...now.slice(1 - most), { id, text, tone }]);
      if (tone === 'good') setTimeout(() => dismiss(id), goodMs);
    },
    [dismiss],
  );
  return { notices, tell, dismiss };
}

/** Where it is shown, and read out when there is time for it. */
export function Notices({
  notices,
  dismiss,
}: {
  readonly notices: readonly Notice[];
  readonly dismiss: (id: number) => void;
}): ReactElement {
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map(({ id, text, tone }) => (
        <div key={id} className={`notice ${tone}`}>
          <Icon name={tone === 'good' ? 'check' : 'warning'} />
          <p>{text}</p>
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
