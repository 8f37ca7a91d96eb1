import type { ReactElement, ReactNode } from 'react';
import type { NodeOutcome } from '../../../../src/core/protocol/fleet.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useNode } from '../../../parts/app-context.ts';
import { IconButton } from '../../../parts/button.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { formatNamed, type Named } from '../../store/quantizations.ts';
import { useStaging } from '../../store/use-staging.ts';
import { type Machine, whatItHas } from './plan-stage.ts';
import { CancelOrder, StageState } from './stage-order.tsx';

/** A machine in the menu: a press stages there. What runs there is below it, with the button that ends it. */
function MachineRow({
  name,
  isOwn = false,
  isConnected = true,
  hasCopy,
  state,
  lock,
  isBusy = false,
  onStage,
  children,
}: {
  readonly name: string;
  readonly isOwn?: boolean;
  readonly isConnected?: boolean;
  readonly hasCopy: boolean;
  /** Its state in few words, at the right. */
  readonly state: ReactNode;
  readonly lock: string | undefined;
  readonly isBusy?: boolean;
  /** Undefined while it is being staged. */
  readonly onStage: (() => void) | undefined;
  readonly children?: ReactNode;
}): ReactElement {
  const words = (
    <>
      <span className={`dot ${isConnected ? 'live' : 'away'}`} aria-hidden="true" />
      <span className="menu-machine-name">
        {onStage !== undefined && (
          <span className="visually-hidden">
            {isConnected ? 'Stage' : 'Stage later'}
            {hasCopy && ' again'} on{' '}
          </span>
        )}
        {name} {isOwn && <span className="badge">this machine</span>}
      </span>{' '}
      <span className="menu-state">{state}</span>
    </>
  );
  return (
    <li>
      {onStage === undefined ? (
        <p className="menu-item">{words}</p>
      ) : (
        <button
          type="button"
          className="menu-item"
          disabled={isBusy}
          aria-disabled={lock !== undefined || undefined}
          title={lock}
          onClick={lock === undefined ? onStage : undefined}
        >
          {words}
        </button>
      )}
      {children}
    </li>
  );
}

const has = (
  <>
    has it <Icon name="check" />
  </>
);

/** `71.0 GiB free`, or that this is too little, or how much of it is there. */
function describeRoom({ node, partly, tightBytes }: Pick<Machine, 'node' | 'partly' | 'tightBytes'>, bytes: number | undefined): ReactNode {
  if (partly !== undefined) return partly;
  if (tightBytes !== undefined && bytes !== undefined)
    return <span className="warn">{`needs ${formatBytes(bytes)}, ${formatBytes(tightBytes)} free`}</span>;
  return node.free_bytes === null ? 'not staged' : `${formatBytes(node.free_bytes)} free`;
}

/** The machine whose page this is: it stages without an order, and tells at once how far it is. */
export function StageHereRow({
  named,
  parts,
  name,
  known,
  bytes,
}: {
  readonly named: Named;
  /** The quantizations of a whole model with several. */
  readonly parts: readonly string[];
  readonly name: string;
  /** What the store knows of it, if it has reported. */
  readonly known: Machine | undefined;
  readonly bytes: number | undefined;
}): ReactElement {
  const { topics } = useNode();
  const { copiesHere: lock } = useLocks();
  const staging = useStaging();
  const job = topics.staging?.jobs.findLast((one) => one.model_id === named.modelId && isFor(one.selector, named.selector));
  const { hasCopy, partly } =
    topics.storage === undefined ? { hasCopy: false, partly: undefined, ...known } : whatItHas(topics.storage.models, named, parts);
  const isRunning = job?.status === 'staging' || job?.status === 'pending';
  return (
    <MachineRow
      name={name}
      isOwn
      hasCopy={hasCopy}
      state={
        isRunning
          ? (job.doing ?? 'staging')
          : hasCopy
            ? has
            : known === undefined
              ? (partly ?? 'not staged')
              : describeRoom({ ...known, partly }, bytes)
      }
      lock={lock}
      onStage={isRunning ? undefined : () => staging.stage(named.modelId, named.selector)}
    >
      {isRunning && (
        <div className="menu-progress">
          {job.waits_for === null ? (
            <Progress label={`Staging ${formatNamed(named)} on ${name}`} {...job} />
          ) : (
            <p className="muted">
              <Sentence text={job.waits_for} />
            </p>
          )}
          <IconButton
            icon="close"
            label={`Stop staging ${formatNamed(named)} on ${name}`}
            lock={lock}
            onClick={() => staging.cancel(named.modelId)}
          />
        </div>
      )}
      {job?.status === 'failed' && !hasCopy && (
        <p className="bad menu-more" role="alert">
          <Sentence text={job.error ?? 'failed'} /> {job.hint !== null && <Sentence text={job.hint} />}
        </p>
      )}
    </MachineRow>
  );
}

const isFor = (a: string | null | undefined, b: string | undefined): boolean => (a ?? undefined)?.toLowerCase() === b?.toLowerCase();

/** Another machine: the store orders it to stage. */
export function StageThereRow({
  machine,
  isOwn,
  named,
  bytes,
  last,
  lock,
  isBusy,
  onStage,
}: {
  readonly machine: Machine;
  readonly isOwn: boolean;
  readonly named: Named;
  readonly bytes: number | undefined;
  /** What became of the last order of this menu there. */
  readonly last: NodeOutcome | undefined;
  readonly lock: string | undefined;
  readonly isBusy: boolean;
  readonly onStage: () => void;
}): ReactElement {
  const { node, name, hasCopy, open, obstacle } = machine;
  const outcome = open?.outcome ?? (last?.status === 'failed' ? last : undefined);
  const away = node.connected ? undefined : hasCopy ? 'has it, away' : 'away, stage later';
  return (
    <MachineRow
      name={name}
      isOwn={isOwn}
      isConnected={node.connected}
      hasCopy={hasCopy}
      state={open === undefined ? (away ?? (hasCopy ? has : describeRoom(machine, bytes))) : node.connected ? 'on the way' : 'away'}
      lock={lock ?? obstacle}
      isBusy={isBusy}
      onStage={open === undefined ? onStage : undefined}
    >
      {obstacle !== undefined && <p className="muted menu-more">{obstacle}</p>}
      {outcome !== undefined && (
        <div className="menu-progress">
          <StageState label={`Staging ${formatNamed(named)} on ${name}`} outcome={outcome} />
          {open !== undefined && <CancelOrder order={open.order} />}
        </div>
      )}
    </MachineRow>
  );
}
