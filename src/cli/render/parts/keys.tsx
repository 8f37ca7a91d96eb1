import { useInput, usePaste } from 'ink';
import { createContext, type ReactElement, type ReactNode, useContext, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Key, readKeys } from './read-keys.ts';

/** What is pressed or pasted; says whether it was meant for it. */
export interface KeyHandler {
  readonly onKey: (key: Key) => boolean;
  /** Without it what is pasted is for nobody: a text that happens to hold a `d` must not delete. */
  readonly onPaste?: (text: string) => boolean;
}

/** Where a handler stands: what is typed into hears a key before a dialog, and that before whatever lies below it. */
export type Layer = 'field' | 'dialog' | 'page';

interface Handlers extends Readonly<Record<Layer, { current: KeyHandler }[]>> {
  readonly any: { current: () => void }[];
}

type Press = { readonly key: Key } | { readonly paste: string };

const KeysContext = createContext<Handlers | undefined>(undefined);

/**
 * Reads the keyboard and hands every key to the handlers, until one takes it: the upper layers first, in each the newest. The next key waits until the screen
 * shows what became of the last one, so that whoever types ahead presses what they see then.
 */
export function Keyboard({
  onUrgent = () => false,
  children,
}: {
  /** Hears every key before all others, and at once. */
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
  // After every turn, when what it changed is there.
  useEffect(next);
  useInput((input, key) => push(readKeys(input, key).flatMap((one) => (onUrgent(one) ? [] : { key: one }))));
  usePaste((paste) => push([{ paste }]));
  return <KeysContext value={handlers}>{children}</KeysContext>;
}

/** Hands a press on. @returns what it is instead, when nobody takes it as it is */
function dispatch({ page, dialog, field }: Handlers, press: Press): readonly Press[] {
  const isTakenBy = ({ current }: { readonly current: KeyHandler }): boolean =>
    'key' in press ? current.onKey(press.key) : (current.onPaste?.(press.paste) ?? false);
  // With Alt there are only keys to edit with; whoever meant Escape and another key gets both.
  const [, character] = ('key' in press && /^alt-(.+)$/.exec(press.key)) || [];
  const layers = character === undefined ? [...page, ...dialog, ...field] : field;
  const isTaken = layers.toReversed().some(isTakenBy);
  return isTaken || character === undefined ? [] : [{ key: 'escape' }, { key: character }];
}

/** Hears keys as long as the component is there. */
export function useKeys(layer: Layer, onKey: KeyHandler['onKey'], onPaste?: KeyHandler['onPaste']): void {
  const handlers = useContext(KeysContext);
  const handler = useRef<KeyHandler>({ onKey });
  useLayoutEffect(() => {
    handler.current = onPaste === undefined ? { onKey } : { onKey, onPaste };
  });
  useListener(handlers?.[layer], handler);
}

/** Is told of every key and every paste, before whoever they are for. */
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
