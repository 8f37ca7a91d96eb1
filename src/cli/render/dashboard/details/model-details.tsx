import { type ReactElement, useEffect, useState } from 'react';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import type { DashboardView } from '../../../../core/operations/live/open-dashboard.ts';
import type { ShownModel, StoredQuantization } from '../../../../core/protocol/models.ts';
import type { OwnCopy } from '../../lists/copies.ts';
import { isOlderPart, partOf, quantizationColumns } from '../../lists/quantization-columns.ts';
import { explain } from '../../parts/explain.ts';
import { type Fact, factLines } from '../../parts/facts.ts';
import { formatAge, formatBytes, formatTime, plural } from '../../parts/format.ts';
import type { Column } from '../../parts/lay-out.ts';
import { tableLines } from '../../parts/table-lines.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { actOnModel, actOnQuantization } from '../model-keys.ts';
import { DetailsPage } from './details-page.tsx';

type Lines = readonly (readonly Part[])[];

/** A model of the store: its facts, its digests, and where it is staged. */
export function ModelDetailsPage({ modelId }: { readonly modelId: ModelId }): ReactElement {
  const dashboard = useDashboard();
  const { view, acts, now, width, open } = dashboard;
  const [at, setAt] = useState(0);
  const entry = view.store?.models?.find(({ model_id }) => model_id === modelId);
  const { model, problem } = useModel(() => acts.show(modelId), `${modelId} ${entry?.downloaded_at} ${entry?.total_bytes}`);
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

/** @param stamp fetches again when it changes */
function useModel(
  ask: () => Promise<ShownModel>,
  stamp: string,
): { readonly model: ShownModel | undefined; readonly problem: string | undefined } {
  const [state, setState] = useState<{ model: ShownModel | undefined; problem: string | undefined }>({
    model: undefined,
    problem: undefined,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says when the answer would be another
  useEffect(() => {
    let isOver = false;
    ask().then(
      (model) => isOver || setState({ model, problem: undefined }),
      (error: unknown) => isOver || setState(({ model }) => ({ model, problem: explain(error).message })),
    );
    return () => {
      isOver = true;
    };
  }, [stamp]);
  return state;
}

function modelFacts(model: ShownModel, now: Date): readonly Fact[] {
  const { total_bytes, files, tags, quantization, family, context_length, digest, revision, commit, source, downloaded_at, companions } =
    model;
  const from = source === 'hub' ? ', from Hugging Face' : source === 'add' ? ', added' : '';
  return [
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
        ? ['here', `${own.directory} (${older} the store's copy; s updates it)`, 'warn']
        : ['here', `${own.directory}${own.in_use ? ' (in use)' : ''}`, 'good'];
  const nameOf = nodeNames(store?.nodes ?? []);
  const others = (store?.nodes ?? []).flatMap((one) => {
    const copy = one.copies?.find(({ model_id }) => model_id === modelId);
    return copy === undefined || one.node_id === node.node_id ? [] : [{ one, copy }];
  });
  return [
    here,
    ...partial,
    ...others.map(
      ({ one, copy }, index): Fact => [
        index === 0 ? 'on nodes' : ' ',
        `${nameOf(one)}, ${copy.in_use ? 'in use' : `used ${formatAge(copy.last_used, now)}`}`,
      ],
    ),
  ];
}

/** Which parts of a copy differ from the store, as the beginning of a sentence; undefined if none. */
function describeOlder(own: OwnCopy, model: ShownModel | undefined): string | undefined {
  const stored = model?.quantizations ?? [];
  const parts = stored.filter((one) => isOlderPart(partOf(own, { modelId: own.model_id, selector: one.selector }), one));
  if (parts.length > 0) return `${parts.map(({ selector }) => selector).join(', ')} older than`;
  // A part of the quantizations always has another digest.
  if (stored.length > 0 || own.digest === null || model?.digest == null || own.digest === model.digest) return undefined;
  return 'older than';
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
