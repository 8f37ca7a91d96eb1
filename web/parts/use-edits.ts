import { useState } from 'react';

/** The fields of a form: what is saved, and what a person changed. */
export interface Edits<T extends object> {
  /** The fields as the form shows them. */
  readonly fields: T;
  /** The fields that a person edited; a field may have its saved value again. */
  readonly edited: Partial<T>;
  edit(changes: Partial<T>): void;
  /** Ends the edits that were sent and saved. An edit made while they were on their way stays. */
  settle(sent: Partial<T>): void;
}

/** Edits over the saved fields, so that new saved fields never overwrite what a person types. */
export function useEdits<T extends object>(saved: T): Edits<T> {
  const [edited, setEdited] = useState<Partial<T>>({});
  return {
    fields: { ...saved, ...edited },
    edited,
    edit: (changes) => setEdited((before) => ({ ...before, ...changes })),
    settle: (sent) => setEdited((before) => withoutSent(before, sent)),
  };
}

/** The edits that differ from what was sent. */
export function withoutSent<T extends object>(edited: Partial<T>, sent: Partial<T>): Partial<T> {
  return Object.fromEntries(Object.entries(edited).filter(([key, value]) => value !== sent[key as keyof T])) as Partial<T>;
}
