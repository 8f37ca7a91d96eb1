import { useState } from 'react';

const stored = 'skulk-opened';

const isText = (value: unknown): value is string => typeof value === 'string';

function read(): ReadonlySet<string> {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(stored) ?? '[]');
    return new Set(Array.isArray(value) ? value.filter(isText) : []);
  } catch {
    return new Set();
  }
}

/** The models whose quantizations are open in the list. A tab keeps them over a reload. */
export function useOpened(): { readonly opened: ReadonlySet<string>; readonly toggle: (modelId: string) => void } {
  const [opened, setOpened] = useState(read);
  return {
    opened,
    toggle: (modelId) => {
      const next = new Set(opened);
      if (!next.delete(modelId)) next.add(modelId);
      sessionStorage.setItem(stored, JSON.stringify([...next]));
      setOpened(next);
    },
  };
}
