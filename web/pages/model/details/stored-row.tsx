import type { ReactElement } from 'react';
import type { ModelProblem } from '../../../../src/core/protocol/models/entries.ts';
import type { StoredQuantization } from '../../../../src/core/protocol/models/shown-model.ts';
import type { StagingJob } from '../../../../src/core/protocol/staging.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useIsPythonHost, useNode, useStore } from '../../../parts/app-context.ts';
import { Progress } from '../../../parts/progress.tsx';
import { Size } from '../../../parts/size.tsx';
import { InUse, OlderCopy } from '../../copy-state.tsx';
import { RowActions } from '../../store/list/row-actions.tsx';
import { formatNamed, isOlderPart, partOf, stagedOn } from '../../store/quantizations.ts';
import { UnloadableBadge } from '../../unloadable-badge.tsx';
import { useMachineName } from '../../use-machine-name.ts';
import { StageButton } from '../stage-on/stage-button.tsx';

/** What can be done with one quantization. */
export interface QuantizationActs {
  readonly onPurge: (selector: string) => void;
  readonly onDelete: (selector: string) => void;
}

/** A quantization that is in the store: where it is staged, and what can be done with it alone. */
export function StoredRow({
  modelId,
  quantization,
  largest,
  problems,
  onPurge,
  onDelete,
}: {
  readonly modelId: string;
  readonly quantization: StoredQuantization;
  readonly largest: number;
  readonly problems: readonly ModelProblem[];
} & QuantizationActs): ReactElement {
  const { selector, size_bytes, bits_per_weight } = quantization;
  const { identity } = useApp();
  const { topics } = useStore();
  const locks = useLocks();
  const isPython = useIsPythonHost();
  const nameOf = useMachineName();
  const { staging, storage } = useNode().topics;
  const job = staging?.jobs.find(
    (one) => one.model_id === modelId && one.selector?.toLowerCase() === selector.toLowerCase() && isRunning(one),
  );
  const places = stagedOn(topics.nodes?.nodes ?? [], { modelId, selector });
  // What is here is known at once, before this machine has reported it to the store.
  const here = storage?.models.map((copy) => partOf(copy, { modelId, selector })).find((part) => part !== undefined);
  const others = places.filter(({ node }) => node.node_id !== identity.node_id);
  const own = identity.node_id === null ? identity.hostname : nameOf({ hostname: identity.hostname, node_id: identity.node_id });
  const staged = [
    ...(here === undefined ? [] : [{ name: own, copy: here }]),
    ...others.map(({ node, copy }) => ({ name: nameOf(node), copy })),
  ];
  const names = staged.map(({ name, copy }) => (isOlderPart(copy, quantization) ? `${name} (older)` : name)).join(', ');
  const older = staged.filter(({ copy }) => isOlderPart(copy, quantization)).map(({ name }) => name);
  const isUsed = here?.in_use === true || others.some(({ copy }) => copy.in_use);
  const bits = bits_per_weight === null ? '' : bits_per_weight.toFixed(2);
  const what = { modelId, selector, bytes: size_bytes };
  const name = formatNamed(what);
  return (
    <tr>
      <th scope="row" className="path">
        <span className="label">{selector}</span> {isUsed && <InUse />}
        <UnloadableBadge problems={problems} isPart />
        {older.length > 0 && <OlderCopy on={older} />}
        {job !== undefined && <Progress label={`Staging ${name}`} {...job} />}
        <p className="narrow-only muted row-more">
          {bits !== '' && `${bits} bits per weight · `}
          {names === '' ? 'not staged' : `on ${names}`}
        </p>
      </th>
      <td className="number spare">{bits === '' ? '?' : bits}</td>
      <td className="number">{size_bytes === 0 ? '?' : <Size bytes={size_bytes} largest={largest} />}</td>
      <td className="wide-only">
        <span className="badge good">in the store</span>
      </td>
      <td className="spare">{names === '' ? <span className="muted">–</span> : names}</td>
      <td className="actions">
        {isPython ? (
          <StageButton what={what} isQuiet />
        ) : (
          <RowActions
            what={what}
            locks={locks}
            purge={{
              lock: locks.models ?? (places.length === 0 ? 'No machine has reported a copy.' : undefined),
              onAsk: () => onPurge(selector),
            }}
            onDelete={() => onDelete(selector)}
          />
        )}
      </td>
    </tr>
  );
}

const isRunning = ({ status }: StagingJob): boolean => status === 'staging' || status === 'pending';
