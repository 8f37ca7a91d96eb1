import { useInput, usePaste } from 'ink';
import { createContext, type ReactElement, type ReactNode, useContext, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Key, readKeys } from './read-keys.ts';

/** Handles keys and pasted text; returns whether it has handled them. */
export interface KeyHandler {
  readonly onKey: (key: Key) => boolean;
  /** If absent, pasted text is ignored: a text that contains a `d` must not delete. */
  readonly onPaste?: (text: string) => boolean;
}

/** The layer of a handler: an input field gets a key before a dialog, and a dialog before the page below it. */
export type Layer = 'field' | 'dialog' | 'page';

interface Handlers extends Readonly<Record<Layer, { current: KeyHandler }[]>> {
  readonly any: { current: () => void }[];
}

type Press = { readonly key: Key } | { readonly paste: string };

const KeysContext = createContext<Handlers | undefined>(undefined);

/**
 * Reads the keyboard and passes every key to the handlers, until one handles it: the upper layers first, in each the newest. The next key
 * waits until the screen shows the effect of the last one, so that fast typing works on the visible state.
 */
export function Keyboard({
  onUrgent = () => false,
  children,
}: {
  /** Gets every key before all others, and at once. */
  readonly onUrgent?: (key: Key) => boolean;
  readonly children: ReactNode;
}): ReactElement {
  const [handlers] = useState<Handlers>(() => ({ field: [], dialog: [], page: [], any: [] }));
  const waiting = useRef<Press[]>([]);
  const isBusy = useRef(false);
  const [, setTurn] = useState(0);
  const next = (): void => {
    const press = waiting.current.shift();
    isBusy.current = press !== undefined;
    if (press === undefined) return;
    for (const { current } of handlers.any) current();
    waiting.current.unshift(...dispatch(handlers, press));
    setTurn((turn) => turn + 1);
  };
  const push = (presses: readonly Press[]): void => {
    waiting.current.push(...presses);
    if (!isBusy.current) next();
  };
  // After every update, when its changes are visible.
  useEffect(next);
  useInput((input, key) => push(readKeys(input, key).flatMap((one) => (onUrgent(one) ? [] : { key: one }))));
  usePaste((paste) => push([{ paste }]));
  return <KeysContext value={handlers}>{children}</KeysContext>;
}

/** Passes a key on. @returns its replacement, if no handler accepts it */
function dispatch({ page, dialog, field }: Handlers, press: Press): readonly Press[] {
  const isTakenBy = ({ current }: { readonly current: KeyHandler }): boolean =>
    'key' in press ? current.onKey(press.key) : (current.onPaste?.(press.paste) ?? false);
  // With Alt there are only editing keys; if Escape and another key were meant, both are passed on.
  const [, character] = ('key' in press && /^alt-(.+)$/.exec(press.key)) || [];
  const layers = character === undefined ? [...page, ...dialog, ...field] : field;
  const isTaken = layers.toReversed().some(isTakenBy);
  return isTaken || character === undefined ? [] : [{ key: 'escape' }, { key: character }];
}

/** Handles keys while the component is mounted. */
export function useKeys(layer: Layer, onKey: KeyHandler['onKey'], onPaste?: KeyHandler['onPaste']): void {
  const handlers = useContext(KeysContext);
  const handler = useRef<KeyHandler>({ onKey });
  useLayoutEffect(() => {
    handler.current = onPaste === undefined ? { onKey } : { onKey, onPaste };
  });
  useListener(handlers?.[layer], handler);
}

/** Called for every key and every paste, before their handlers. */
export function useAnyKey(onAny: () => void): void {
  const handlers = useContext(KeysContext);
  const handler = useRef(onAny);
  useLayoutEffect(() => {
    handler.current = onAny;
  });
  useListener(handlers?.any, handler);
}

function useListener<T>(listeners: T[] | undefined, one: T): void {
  useLayoutEffect(() => {
    listeners?.push(one);
    return () => void listeners?.splice(listeners.indexOf(one), 1);
  }, [listeners, one]);
}
