import { type ReactElement, useState } from 'react';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import type { DashboardView } from '../../../../core/operations/live/open-dashboard.ts';
import { sentenceOf } from '../../../../core/protocol/describe/problems.ts';
import type { GivenOrder } from '../../../../core/protocol/fleet.ts';
import type { ShownModel, StoredQuantization } from '../../../../core/protocol/models/shown-model.ts';
import { describeOutcome } from '../../lists/node-columns.ts';
import { describeOlder } from '../../lists/older-parts.ts';
import { quantizationColumns } from '../../lists/quantization-columns.ts';
import { type Fact, factLines } from '../../parts/facts.ts';
import { formatAge, formatBytes, formatTime, plural } from '../../parts/format.ts';
import type { Column } from '../../parts/lay-out.ts';
import { tableLines } from '../../parts/table-lines.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { actOnModel, actOnQuantization } from '../model-keys.ts';
import { DetailsPage } from './details-page.tsx';
import { useShownModel } from './use-shown-model.ts';

type Lines = readonly (readonly Part[])[];

/** A model of the store: its facts, its digests, and where it is staged. */
export function ModelDetailsPage({ modelId }: { readonly modelId: ModelId }): ReactElement {
  const dashboard = useDashboard();
  const { view, acts, now, width, open } = dashboard;
  const [at, setAt] = useState(0);
  const entry = view.store?.models?.find(({ model_id }) => model_id === modelId);
  const { model, problem } = useShownModel(() => acts.show(modelId), `${modelId} ${entry?.downloaded_at} ${entry?.total_bytes}`);
  const isAsking = model === undefined && problem === undefined;
  const facts = factLines([...(model === undefined ? [] : modelFacts(model, now)), ...stagedFacts(view, { modelId, model, now })], width);
  const lines: Lines = [
    ...(problem === undefined ? [] : [[{ text: `  ✗ ${problem}`, tone: 'bad' } as const], []]),
    ...(isAsking ? [[{ text: '  Loading from the store…', tone: 'quiet' } as const], []] : []),
    ...facts,
  ];
  const all = model?.quantizations ?? [];
  const chosen = Math.min(at, all.length - 1);
  const one = all[chosen];
  const table = all.length === 0 ? [] : quantizationLines(view, { modelId, all, chosen, width });
  // There are an empty line and the table's header above the rows.
  const cursor = { lines: all.map((_, index) => lines.length + 2 + index), at: chosen, onMove: setAt };
  return (
    <DetailsPage
      title={modelId}
      lines={[...lines, ...table, ...(model === undefined ? [] : fileLines(model, width))]}
      cursor={one && cursor}
      onKey={(key) => {
        if (key === 'a') open({ kind: 'add', initial: modelId });
        // With a single quantization, the keys apply to the model.
        else if (one === undefined || model === undefined || all.length === 1) return actOnModel(dashboard, key, modelId);
        else return actOnQuantization(dashboard, key, { model, selector: one.selector });
        return true;
      }}
    />
  );
}

/** The quantizations of a model, with a mark at the selected one. */
function quantizationLines(
  view: DashboardView,
  {
    modelId,
    all,
    chosen,
    width,
  }: { readonly modelId: ModelId; readonly all: readonly StoredQuantization[]; readonly chosen: number; readonly width: number },
): Lines {
  const [head = [], ...rows] = tableLines(quantizationColumns(view, modelId), all, width);
  return [
    [],
    ['  ', ...head],
    ...rows.map((parts, index) => [{ text: index === chosen ? '› ' : '  ', tone: 'strong' } as const, ...parts]),
  ];
}

function modelFacts(model: ShownModel, now: Date): readonly Fact[] {
  const { total_bytes, files, tags, quantization, family, context_length, digest, revision, commit, source, downloaded_at, companions } =
    model;
  const from = source === 'hub' ? ', from Hugging Face' : source === 'add' ? ', added' : '';
  return [
    ...(model.problems ?? []).map(
      (one): Fact => ['problem', `no program can load ${one.selector ?? 'this model'}: ${sentenceOf(one)}`, 'bad'],
    ),
    ['size', `${formatBytes(total_bytes)} in ${plural(files.length, 'file')}`],
    ['tags', tags.join(', '), 'accent'],
    ['family', family],
    ['quantization', quantization],
    ['context', context_length === null ? null : plural(context_length, 'token')],
    ['needs', companions.map(({ model_id, role }) => `${model_id} (${role})`).join(', ')],
    ['sha256', digest ?? 'not hashed yet'],
    ['revision', revision],
    ['commit', commit],
    ['added', `${formatTime(downloaded_at)}, ${formatAge(downloaded_at, now)}${from}`],
  ];
}

function stagedFacts(
  { store, staging, node }: DashboardView,
  { modelId, model, now }: { readonly modelId: ModelId; readonly model: ShownModel | undefined; readonly now: Date },
): readonly Fact[] {
  const own = staging?.models.find(({ model_id }) => model_id === modelId);
  const part = staging?.unfinished.find(({ model_id }) => model_id === modelId);
  const partial: readonly Fact[] =
    part === undefined ? [] : [['partial', `${formatBytes(part.size_bytes)} of an unfinished copy on this machine; s resumes it`, 'warn']];
  const older = own && describeOlder(own, model);
  const here: Fact =
    own === undefined
      ? ['here', 'not staged on this machine; s stages it', 'quiet']
      : older !== undefined
        ? ['here', `${own.directory} (${use(own)}; ${older} than in the store; s updates it)`, 'warn']
        : ['here', `${own.directory} (${use(own)})`, 'good'];
  const nameOf = nodeNames(store?.nodes ?? []);
  const others = (store?.nodes ?? []).flatMap((one) => {
    const copy = one.copies?.find(({ model_id }) => model_id === modelId);
    return copy === undefined || one.node_id === node.node_id ? [] : [{ one, copy }];
  });
  return [
    here,
    ...partial,
    ...others.map(({ one, copy }, index): Fact => {
      const late = describeOlder(copy, model);
      const state = copy.in_use ? 'in use' : `idle, used ${formatAge(copy.last_used, now)}`;
      return [index === 0 ? 'on nodes' : ' ', [nameOf(one), state, late].filter(Boolean).join(', '), late === undefined ? 'plain' : 'warn'];
    }),
    ...orderFacts(store?.orders ?? [], { modelId, nameOf }),
  ];
}

const use = ({ in_use }: { readonly in_use: boolean }): string => (in_use ? 'in use' : 'idle');

/** The machines that were asked to stage the model, and how far they are. */
function orderFacts(
  orders: readonly GivenOrder[],
  { modelId, nameOf }: { readonly modelId: ModelId; readonly nameOf: ReturnType<typeof nodeNames> },
): readonly Fact[] {
  const asked = orders
    .filter(({ kind, model_id }) => kind === 'stage' && model_id === modelId)
    .flatMap(({ nodes, selector }) =>
      nodes
        .filter(({ status }) => status !== 'done')
        .map(
          (one) =>
            `${nameOf({ node_id: one.node, hostname: one.hostname })}${selector === undefined ? '' : `, ${selector}`}: ${describeOutcome(one)}`,
        ),
    );
  return asked.map((text, index): Fact => [index === 0 ? 'asked' : ' ', `${text}${index === 0 ? '; c cancels' : ''}`, 'warn']);
}

const fileLines = ({ files }: ShownModel, width: number): Lines => [
  [],
  ...tableLines(fileColumns, files, width).map((parts) => ['  ', ...parts]),
];

const fileColumns: readonly Column<ShownModel['files'][number]>[] = [
  { title: 'FILE', maxWidth: 60, cut: 'middle', cell: ({ path }) => path },
  { title: 'SIZE', align: 'right', cell: ({ size }) => (size === null ? '?' : formatBytes(size)) },
  { title: 'SHA256', flexMinWidth: 12, cell: ({ sha256 }) => ({ text: sha256 ?? '?', tone: 'quiet' }) },
];
