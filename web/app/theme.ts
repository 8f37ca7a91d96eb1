/** Light, dark, or the setting of the system. */
export type Theme = 'system' | 'light' | 'dark';

const key = 'skulk-theme';
const isTheme = (text: string | null): text is Theme => text === 'light' || text === 'dark' || text === 'system';

/** The last choice. */
export function readTheme(): Theme {
  const stored = localStorage.getItem(key);
  return isTheme(stored) ? stored : 'system';
}

/** Applies a theme, and remembers it. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(key, theme);
}
