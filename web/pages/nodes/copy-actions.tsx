import { type ReactElement, useRef, useState } from 'react';
import type { ReportedCopy } from '../../../src/core/protocol/models/reported-copy.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { IconButton } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Menu } from '../../parts/menu/menu.tsx';
import { MenuItem } from '../../parts/menu/menu-item.tsx';
import { StageButton } from '../model/stage-on/stage-button.tsx';
import { type Stageable, StageMenu } from '../model/stage-on/stage-menu.tsx';

/** What can be done with a copy on the page of its node: two buttons; on a phone one menu, as of the models of the store. */
export function CopyActions({
  copy: { model_id: modelId, size_bytes: bytes, quantizations = [] },
  hostname,
  onPurge,
}: {
  readonly copy: ReportedCopy;
  readonly hostname: string;
  readonly onPurge: () => void;
}): ReactElement {
  const { models: lock, copiesHere } = useLocks();
  const [open, setOpen] = useState<'stage' | 'more'>();
  const more = useRef<HTMLButtonElement>(null);
  const close = (): void => setOpen(undefined);
  const what: Stageable = {
    modelId,
    bytes,
    parts: quantizations.flatMap(({ selector, size_bytes }) => (selector === null ? [] : [{ selector, bytes: size_bytes }])),
  };
  return (
    <>
      <span className="wide-only">
        <StageButton isQuiet what={what} />
        <IconButton icon="trash" label={`Purge ${modelId} on ${hostname}`} lock={lock} onClick={onPurge} />
      </span>
      <span className="narrow-only">
        <button
          ref={more}
          type="button"
          className="button quiet square more"
          aria-label={`Actions for ${modelId}`}
          aria-haspopup="dialog"
          aria-expanded={open === 'more'}
          title={`Actions for ${modelId}`}
          onClick={() => setOpen('more')}
        >
          <Icon name="more" />
        </button>
      </span>
      {open === 'stage' && <StageMenu what={what} anchor={more} onClose={close} />}
      {open === 'more' && (
        <Menu title={modelId} anchor={more} onClose={close}>
          <MenuItem icon="machine" lock={copiesHere === undefined ? undefined : lock} onClick={() => setOpen('stage')}>
            Stage…
          </MenuItem>
          <MenuItem
            icon="trash"
            tone="danger"
            lock={lock}
            onClick={() => {
              close();
              onPurge();
            }}
          >
            Purge on {hostname}…
          </MenuItem>
        </Menu>
      )}
    </>
  );
}
