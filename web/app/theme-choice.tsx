import { type ReactElement, useState } from 'react';
import { IconButton } from '../parts/button.tsx';
import { applyTheme, readTheme, type Theme } from './theme.ts';

const next: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const icons = { system: 'system', light: 'sun', dark: 'moon' } as const;
const names: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

/** One button for light, dark, and the setting of the system. */
export function ThemeChoice(): ReactElement {
  const [theme, setTheme] = useState(readTheme);
  const change = (): void => {
    applyTheme(next[theme]);
    setTheme(next[theme]);
  };
  return <IconButton icon={icons[theme]} label={`Colours: ${names[theme]}. Change to ${names[next[theme]]}`} onClick={change} />;
}
