import type { ReactElement } from 'react';
import { NodesPage } from '../pages/nodes/nodes-page.tsx';
import { SettingsPage } from '../pages/settings/settings-page.tsx';
import { StorePage } from '../pages/store/store-page.tsx';

/** The pages, in the order in which they stand at the top. The server knows their addresses too (web-app.ts). */
export const pages: readonly { readonly to: string; readonly name: string; readonly Page: () => ReactElement }[] = [
  { to: '/', name: 'Store', Page: StorePage },
  { to: '/nodes', name: 'Nodes', Page: NodesPage },
  { to: '/settings', name: 'Settings', Page: SettingsPage },
];
