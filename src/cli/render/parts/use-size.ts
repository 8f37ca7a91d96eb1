import { useWindowSize } from 'ink';
import { createContext, useContext } from 'react';

/** The size of the window, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The size of the drawing area; a test sets its own. */
export const SizeContext = createContext<Size>({ columns: 80, rows: 24 });

/** The size of the terminal's window, with its changes. */
export const useTerminalSize = (): Size => useWindowSize();

/** The size of the drawing area. */
export const useSize = (): Size => useContext(SizeContext);
