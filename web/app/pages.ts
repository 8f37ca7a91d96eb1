import { createElement, type ReactElement } from 'react';
import { ActivityPage } from '../pages/activity/activity-page.tsx';
import { AddPage } from '../pages/add/add-page.tsx';
import { ModelPage } from '../pages/model/model-page.tsx';
import { NodePage } from '../pages/nodes/node-page.tsx';
import { NodesPage } from '../pages/nodes/nodes-page.tsx';
import { SettingsPage } from '../pages/settings/settings-page.tsx';
import { StorePage } from '../pages/store/store-page.tsx';
import { isAddPath } from '../parts/address/add-address.ts';
import { nodeOfPath } from '../parts/address/node-path.ts';
import { modelOfPath } from '../parts/model-path.ts';

/** A page, and what the tab is called while it is seen. */
interface Page {
  readonly name: string;
  readonly show: () => ReactElement;
}

/** The pages, in the order in which they stand at the top. The server knows their addresses too (web-app.ts). */
export const pages: readonly ({ readonly to: string } & Page)[] = [
  { to: '/', name: 'Store', show: () => createElement(StorePage) },
  { to: '/nodes', name: 'Nodes', show: () => createElement(NodesPage) },
  { to: '/activity', name: 'Activity', show: () => createElement(ActivityPage) },
  { to: '/settings', name: 'Settings', show: () => createElement(SettingsPage) },
];

const addPage: Page = { name: 'Add a model', show: () => createElement(AddPage) };

/** What is to be seen at a path: one of the pages, the one that adds a model, or that of a node or a model. */
export function findPage(path: string): Page | undefined {
  if (isAddPath(path)) return addPage;
  const page = pages.find(({ to }) => to === path);
  if (page !== undefined) return page;
  const nodeId = nodeOfPath(path);
  if (nodeId !== undefined) return { name: `Node ${nodeId}`, show: () => createElement(NodePage, { key: nodeId, nodeId }) };
  const modelId = modelOfPath(path);
  return modelId === undefined ? undefined : { name: modelId, show: () => createElement(ModelPage, { key: modelId, modelId }) };
}
