import { type ReactElement, useRef, useState } from 'react';
import type { Locks } from '../../../parts/access/locks-for.ts';
import { useApp } from '../../../parts/app-context.ts';
import { copyText } from '../../../parts/copy-text.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Menu } from '../../../parts/menu/menu.tsx';
import { MenuItem } from '../../../parts/menu/menu-item.tsx';
import { pathOfModel } from '../../../parts/model-path.ts';
import { navigate } from '../../../parts/route.ts';
import { StageButton } from '../../model/stage-on/stage-button.tsx';
import { type Stageable, StageMenu } from '../../model/stage-on/stage-menu.tsx';
import { formatNamed } from '../quantizations.ts';

/** What can be done with a row: staging beside a menu with the rest; on a phone the menu has both. */
export function RowActions({
  what,
  locks,
  purge,
  onDelete,
}: {
  readonly what: Stageable;
  readonly locks: Locks;
  /** On the page of the model: the question before its copies are removed, and why it may not be asked. */
  readonly purge?: { readonly lock: string | undefined; readonly onAsk: () => void };
  readonly onDelete: () => void;
}): ReactElement {
  const { tell } = useApp();
  const [open, setOpen] = useState<'stage' | 'more'>();
  const more = useRef<HTMLButtonElement>(null);
  const name = formatNamed(what);
  const close = (): void => setOpen(undefined);
  const lock = locks.copiesHere !== undefined && locks.models !== undefined ? locks.models : undefined;
  return (
    <>
      <StageButton what={what} isQuiet isWideOnly lock={lock} {...(purge === undefined && { keys: 's' })} />
      <button
        ref={more}
        type="button"
        className="button quiet square more"
        aria-label={`Actions for ${name}`}
        aria-haspopup="dialog"
        aria-expanded={open === 'more'}
        title={`Actions for ${name}`}
        onClick={() => setOpen('more')}
      >
        <Icon name="more" />
      </button>
      {open === 'stage' && <StageMenu what={what} anchor={more} onClose={close} />}
      {open === 'more' && (
        <Menu title={name} anchor={more} onClose={close}>
          <MenuItem icon="machine" isNarrowOnly lock={lock} onClick={() => setOpen('stage')}>
            Stage…
          </MenuItem>
          {purge === undefined && (
            <MenuItem icon="open" onClick={() => navigate(pathOfModel(what.modelId))}>
              Open the page of the model
            </MenuItem>
          )}
          <MenuItem
            icon="copy"
            onClick={() => {
              close();
              void copyText(name).then(() => tell(`Copied ${name}.`));
            }}
          >
            Copy {name}
          </MenuItem>
          {purge !== undefined && (
            <MenuItem
              icon="trash"
              lock={purge.lock}
              onClick={() => {
                close();
                purge.onAsk();
              }}
            >
              Purge staged copies…
            </MenuItem>
          )}
          <MenuItem
            icon="trash"
            tone="danger"
            lock={locks.models}
            onClick={() => {
              close();
              onDelete();
            }}
          >
            Delete {what.selector ?? 'the model'}…
          </MenuItem>
        </Menu>
      )}
    </>
  );
}
