import { useWindowSize } from 'ink';
import { createContext, useContext } from 'react';

/** How large the window is, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The size of what is drawn on; a test says its own. */
export const SizeContext = createContext<Size>({ columns: 80, rows: 24 });

/** The size of the terminal's window, as it changes. */
export const useTerminalSize = (): Size => useWindowSize();

/** The size of what is drawn on. */
export const useSize = (): Size => useContext(SizeContext);
