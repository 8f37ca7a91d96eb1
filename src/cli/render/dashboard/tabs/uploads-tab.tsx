import type { ReactElement } from 'react';
import { uploadColumns, wordsOfUpload } from '../../lists/upload-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { useAskedList } from './use-asked-list.ts';

/** The uploads that other machines have not finished. */
export function UploadsTab(): ReactElement {
  const { acts, now, width, height, listOf, open } = useDashboard();
  const { value, problem, again } = useAskedList(() => acts.uploads());
  return (
    <List
      columns={uploadColumns(now)}
      rows={value ?? []}
      keyOf={({ id }) => id}
      wordsOf={wordsOfUpload}
      width={width}
      height={height}
      {...listOf('uploads')}
      empty={
        problem !== undefined
          ? [problem]
          : value === undefined
            ? ['Loading from the store…']
            : ['No machine has an unfinished upload.', '', 'skulk add on another machine sends a model to the store.']
      }
      onKey={(key, upload) => {
        if (upload === undefined || key !== 'c') return false;
        open({ kind: 'cancel-upload', upload, onDone: again });
        return true;
      }}
    />
  );
}
