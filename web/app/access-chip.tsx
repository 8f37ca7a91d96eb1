import { type ReactElement, useState } from 'react';
import { AccessDialog, describeAccess } from '../parts/access/access-dialog.tsx';
import { useApp } from '../parts/app-context.ts';
import { Icon } from '../parts/icon.tsx';

/** The rights of this tab, at the top of every page; a click opens the dialog to change them. */
export function AccessChip(): ReactElement {
  const { access } = useApp();
  const [isOpen, setOpen] = useState(false);
  const text = describeAccess(access);
  return (
    <>
      <button type="button" className="button access" aria-label={`Access: ${text}`} title={text} onClick={() => setOpen(true)}>
        <Icon name={access.role === 'admin' ? 'key' : 'lock'} />
        <span className="access-words">{text}</span>
      </button>
      {isOpen && <AccessDialog onClose={() => setOpen(false)} />}
    </>
  );
}
