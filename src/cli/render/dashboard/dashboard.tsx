import { Box } from 'ink';
import { type ReactElement, useState } from 'react';
import type { DashboardActs } from '../../../core/operations/live/acts.ts';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import { explain } from '../parts/explain.ts';
import { useAnyKey, useKeys } from '../parts/keys.tsx';
import { type ListState, newList } from '../parts/list-state.ts';
import { type Live, useLive } from '../parts/live.ts';
import { useNow } from '../parts/use-now.ts';
import { useSize } from '../parts/use-size.ts';
import { Line } from '../parts/words.tsx';
import { type DashboardContext, DashboardProvider, type Details, type Message, type OpenDialog, type TabName, tabs } from './context.ts';
import { CopyDetailsPage } from './details/copy-details.tsx';
import { DownloadDetailsPage } from './details/download-details.tsx';
import { ModelDetailsPage } from './details/model-details.tsx';
import { NodeDetailsPage } from './details/node-details.tsx';
import { OptimizationDetailsPage } from './details/optimization-details.tsx';
import { AddDialog } from './dialogs/add-dialog.tsx';
import { CancelUploadDialog } from './dialogs/cancel-upload-dialog.tsx';
import { DeleteDialog } from './dialogs/delete-dialog.tsx';
import { ForgetDialog } from './dialogs/forget-dialog.tsx';
import { HelpDialog } from './dialogs/help-dialog.tsx';
import { LeaveDialog } from './dialogs/leave-dialog.tsx';
import { OptimizeDialog } from './dialogs/optimize-dialog.tsx';
import { PurgeDialog } from './dialogs/purge-dialog.tsx';
import { StageOnDialog } from './dialogs/stage-on-dialog.tsx';
import { KeyHints, messageLines } from './footer.tsx';
import { Header } from './header.tsx';
import { hintsFor } from './key-hints.ts';
import { DownloadsTab } from './tabs/downloads-tab.tsx';
import { LogTab } from './tabs/log-tab.tsx';
import { NodesTab } from './tabs/nodes-tab.tsx';
import { OptimizationsTab } from './tabs/optimizations-tab.tsx';
import { StagingTab } from './tabs/staging-tab.tsx';
import { StoreTab } from './tabs/store-tab.tsx';
import { UploadsTab } from './tabs/uploads-tab.tsx';
import { useJobNews } from './use-job-news.ts';

/** The properties of the dashboard. */
export interface DashboardProps {
  readonly live: Live<DashboardView>;
  readonly acts: DashboardActs;
  readonly clock: () => Date;
  readonly onLeave: () => void;
}

/** A smaller window is unreadable. */
const smallest = { columns: 60, rows: 12 };
const headerLines = 4;
const untouched: Readonly<Record<TabName, ListState>> = {
  store: newList,
  downloads: newList,
  nodes: newList,
  staging: newList,
  optimizations: newList,
  uploads: newList,
  log: newList,
};

/** The whole screen: the store's name, a list or a page, and the keys. */
export function Dashboard({ live, acts, clock, onLeave }: DashboardProps): ReactElement {
  const view = useLive(live);
  const { columns, rows } = useSize();
  const now = useNow(clock);
  const [tab, setTab] = useState<TabName>('store');
  const [details, setDetails] = useState<Details>();
  const [dialog, setDialog] = useState<OpenDialog>();
  const [message, setMessage] = useState<Message>();
  const [lists, setLists] = useState(untouched);
  useAnyKey(() => setMessage(undefined));
  useJobNews(view, setMessage);
  const go = (to: TabName | undefined): void => {
    setTab(to ?? tab);
    setDetails(undefined);
  };
  useKeys('page', (key) => {
    const at = tabs.indexOf(tab);
    if (key === 'q') {
      if (acts.isStaging()) setDialog({ kind: 'leave' });
      else onLeave();
    } else if (key === '?') setDialog({ kind: 'help' });
    else if (key === 'tab' || key === 'right') go(tabs[(at + 1) % tabs.length]);
    else if (key === 'shift-tab' || key === 'left') go(tabs[(at + tabs.length - 1) % tabs.length]);
    else if (/^[1-7]$/.test(key)) go(tabs[Number(key) - 1]);
    else return false;
    return true;
  });
  if (columns < smallest.columns || rows < smallest.rows) return <TooSmall columns={columns} rows={rows} />;
  const messageRows = messageLines(message, view.store?.connection, columns);
  const context: DashboardContext = {
    view,
    acts,
    now,
    width: columns,
    height: rows - headerLines - messageRows.length - 1,
    listOf: (name) => ({ state: lists[name], onState: (change) => setLists((all) => ({ ...all, [name]: change(all[name]) })) }),
    show: setDetails,
    open: setDialog,
    say: setMessage,
    run: (work, done) => {
      work().then(
        (result) => setMessage(typeof done === 'string' ? { text: done, tone: 'good' } : done(result)),
        (error: unknown) => {
          const { message: text, hint } = explain(error);
          setMessage({ text, hint, tone: 'bad' });
        },
      );
    },
  };
  return (
    <DashboardProvider value={context}>
      <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
        <Header view={view} tab={tab} width={columns} />
        <Box height={context.height} flexDirection="column" overflow="hidden">
          {details === undefined ? <Tab tab={tab} /> : <DetailsOf details={details} />}
        </Box>
        {messageRows.map((parts, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other names
          <Line key={index} parts={parts} />
        ))}
        <KeyHints hints={hintsFor(tab, details)} width={columns} />
        {dialog !== undefined && <DialogOf dialog={dialog} onLeave={onLeave} />}
      </Box>
    </DashboardProvider>
  );
}

function Tab({ tab }: { readonly tab: TabName }): ReactElement {
  switch (tab) {
    case 'store':
      return <StoreTab />;
    case 'downloads':
      return <DownloadsTab />;
    case 'nodes':
      return <NodesTab />;
    case 'staging':
      return <StagingTab />;
    case 'optimizations':
      return <OptimizationsTab />;
    case 'uploads':
      return <UploadsTab />;
    case 'log':
      return <LogTab />;
  }
}

function DetailsOf({ details }: { readonly details: Details }): ReactElement {
  switch (details.kind) {
    case 'model':
      return <ModelDetailsPage modelId={details.modelId} />;
    case 'download':
      return <DownloadDetailsPage modelId={details.modelId} of={details.key} />;
    case 'node':
      return <NodeDetailsPage nodeId={details.nodeId} />;
    case 'copy':
      return <CopyDetailsPage modelId={details.modelId} />;
    case 'optimization':
      return <OptimizationDetailsPage targetId={details.targetId} />;
  }
}

function DialogOf({ dialog, onLeave }: { readonly dialog: OpenDialog; readonly onLeave: () => void }): ReactElement {
  switch (dialog.kind) {
    case 'help':
      return <HelpDialog />;
    case 'leave':
      return <LeaveDialog onLeave={onLeave} />;
    case 'add':
      return <AddDialog initial={dialog.initial} />;
    case 'optimize':
      return <OptimizeDialog source={dialog.source} />;
    case 'stage-on':
      return <StageOnDialog named={dialog.named} />;
    case 'forget':
      return <ForgetDialog nodeId={dialog.nodeId} />;
    case 'cancel-upload':
      return <CancelUploadDialog upload={dialog.upload} onDone={dialog.onDone} />;
    case 'delete':
      return <DeleteDialog deletion={dialog} />;
    case 'purge':
      return <PurgeDialog place={dialog} />;
  }
}

function TooSmall({ columns, rows }: { readonly columns: number; readonly rows: number }): ReactElement {
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Line parts={[`The window is too small: ${columns}x${rows}.`]} />
      <Line parts={[`It must be at least ${smallest.columns}x${smallest.rows}; q quits.`]} />
    </Box>
  );
}
