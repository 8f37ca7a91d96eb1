import { type ReactElement, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { DirectoryDialog } from './directory-dialog.tsx';
import { type FieldProps, TextField } from './field.tsx';

/** The path of a directory on the machine of this page, typed or chosen. */
export function PathField(props: FieldProps): ReactElement {
  const { name, label, draft, setBy } = props;
  const [isOpen, setOpen] = useState(false);
  const value = draft.value(name);
  return (
    <>
      <TextField
        {...props}
        after={
          <Button icon="folder" label={`Browse for: ${label}`} disabled={setBy !== undefined} onClick={() => setOpen(true)}>
            Browse…
          </Button>
        }
      />
      {isOpen && (
        <DirectoryDialog
          title={label}
          start={typeof value === 'string' ? value : undefined}
          onClose={() => setOpen(false)}
          onChoose={(path) => {
            draft.set(name, path);
            setOpen(false);
          }}
        />
      )}
    </>
  );
}
