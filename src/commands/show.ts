import { choice, defineCommand, type LineOfParts, type TextBlock } from '../cli/definition.ts';
import { programNames } from '../core/catalog/programs/programs.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import type { ModelUses } from '../core/operations/programs/show-uses.ts';
import { stagedOn } from '../core/protocol/describe/may-have.ts';
import { sentenceOf } from '../core/protocol/describe/problems.ts';
import type { ModelProblem } from '../core/protocol/models/entries.ts';
import type { AvailableQuantization, ShownModel } from '../core/protocol/models/shown-model.ts';
import { modelArgument } from './model-arguments.ts';
import { useJson, useLines, useTable } from './use-lines.ts';

/** `skulk show`: everything about one model. */
export const show = defineCommand({
  name: 'show',
  summary: 'show one model: files, sizes, digests, tags',
  description: [
    'Shows the details of a model, and which machines have a staged copy. A model that is not hashed yet has no digests. For GGUF models it lists the quantizations with their bits per weight and the machines that have each. Below them are those that the repo had at the last download, but the store does not have. With a selector, it shows only that quantization: files, digest, staged copies.',
    'With --use it prints shell lines that make a program load the model from the server of this machine or the store, and from a staged copy. Which programs can load it depends on the file names; for one that cannot, the exit status is 3.',
  ],
  arguments: { model: modelArgument() },
  options: { use: choice('print the shell lines for a program, or `list` the programs', 'PROGRAM', [...programNames, 'list']) },
  examples: [
    ['show a model', 'skulk show mlx-community/Qwen3-4B-4bit'],
    ['list its quantizations', "skulk show bartowski/Foo-GGUF --json | jq -r '.quantizations[].selector'"],
    ['the line to start llama-server', 'skulk show bartowski/Foo-GGUF:Q5_K_M --use llama-server'],
    ['which programs load it', 'skulk show mlx-community/Qwen3-4B-4bit --use list'],
    ['its digest', 'skulk show mlx-community/Qwen3-4B-4bit --json | jq -r .digest'],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ model: ref, use }, context) => {
    const deps = await context.deps();
    if (use === undefined) {
      const { showModel } = await import('../core/operations/models/show-model.ts');
      return { model: await showModel(deps, ref) };
    }
    const { showUses } = await import('../core/operations/programs/show-uses.ts');
    const uses = await showUses(deps, ref);
    if (use === 'list') return { uses };
    const one = uses.programs.find(({ program }) => program === use);
    if (one?.hub.lines === undefined && one?.staged.lines === undefined) throw cannotUse(uses, one);
    return { uses, one };
  },
  text: (result) =>
    'model' in result ? modelText(result.model) : 'one' in result ? useLines(result.one, result.uses.address) : useTable(result.uses),
  json: (result) => {
    if ('model' in result) return result.model;
    const { model_id, selector, address, programs } = result.uses;
    const shared = { model_id, selector, address };
    return 'one' in result ? { ...shared, ...useJson(result.one) } : { ...shared, programs: programs.map(useJson) };
  },
});

function cannotUse({ model_id, address }: ModelUses, use: ModelUses['programs'][number] | undefined): SkulkError {
  const isForServer = address === null && use?.hub.problem !== use?.staged.problem;
  return new SkulkError(
    isForServer ? 'STORE_NOT_CONFIGURED' : 'FILE_NOT_FOUND',
    use?.hub.problem ?? `there are no instructions for ${model_id}`,
    {
      hint: `\`skulk show ${model_id} --use list\` lists the programs that can load it`,
    },
  );
}

const modelText = (model: ShownModel): readonly TextBlock[] => [
  `model     ${model.model_id}`,
  `size      ${formatBytes(model.total_bytes)} in ${plural(model.files.length, 'file')}`,
  `tags      ${model.tags.length > 0 ? model.tags.join(', ') : 'none'}`,
  ...(model.companions.length === 0
    ? []
    : [fact(`needs     ${model.companions.map(({ model_id, role }) => `${model_id} (${role})`).join(', ')}`)]),
  ...factLines(model),
  ...(model.card == null ? [] : [`card      ${cardPlaces[model.card]}`]),
  `digest    ${model.digest === null ? whyNoDigest(model) : `sha256:${model.digest}`}`,
  `revision  ${model.revision ?? 'unknown'}${model.commit === null ? '' : ` (commit ${model.commit})`}`,
  { line: ['added     ', { time: model.downloaded_at }, model.source === null ? '' : ` (${model.source})`] },
  ...madeLines(model.provenance),
  ...(model.problems ?? []).map(problemLine),
  `staged    ${model.staged === null ? 'not on this machine' : model.staged.path}`,
  ...(model.nodes.length === 0
    ? []
    : [fact(`on nodes  ${model.nodes.map((node) => `${nameOf(node)}${node.in_use ? ', in use' : ''}`).join(', ')}`)]),
  '',
  ...quantizationTable(model),
  {
    header: ['FILE', 'SIZE', 'SHA256'],
    cutFirst: [2],
    rows: model.files.map(({ path, size, sha256 }) => [path, size === null ? '?' : formatBytes(size), sha256 ?? '?']),
    alignRight: [1],
  },
];

const problemLine = (problem: ModelProblem): LineOfParts =>
  fact(`problem   no program can load ${problem.selector ?? 'this model'}: ${sentenceOf(problem)}`);

/** A line after one of the names on the left. */
const fact = (text: string): LineOfParts => ({ line: [text], indent: 10 });

const cardPlaces: Readonly<Record<NonNullable<ShownModel['card']>, string>> = {
  cards_path: 'from cards_path of the store host',
  store: 'beside the manifests of the store',
  model: 'among its files',
  python: 'kept by the Python program',
};

/** The known facts from its files. */
function factLines({ family, context_length, parameters, license, base_model }: ShownModel): readonly LineOfParts[] {
  const facts = [
    family,
    parameters === null ? null : `${parameters.toLocaleString('en')} parameters`,
    context_length === null ? null : `${context_length.toLocaleString('en')} tokens of context`,
    license === null ? null : `license ${license}`,
    base_model === null ? null : `made from ${base_model}`,
  ].filter((fact) => fact !== null);
  return facts.length === 0 ? [] : [fact(`facts     ${facts.join(', ')}`)];
}

const whyNoDigest = ({ source }: ShownModel): string =>
  source === 'python-store' ? 'unknown: the store is the Python program; files are hashed when they are staged' : 'not hashed yet';

interface Provenance {
  readonly engine: string;
  readonly engine_version: string | null;
  readonly arguments: readonly string[];
  readonly source_model: string;
  readonly source_digest: string;
  readonly achieved_bpw: number | null;
  readonly host: string;
}

/** The source of a variant, and how it was made. */
function madeLines(made: Provenance | undefined): readonly string[] {
  if (made === undefined) return [];
  const version = made.engine_version === null ? '' : ` (${made.engine_version})`;
  return [
    `made from ${made.source_model} (sha256:${made.source_digest})`,
    `made by   ${made.engine}${version} ${made.arguments.join(' ')}${made.host === '' ? '' : `, on ${made.host}`}`,
    ...(made.achieved_bpw === null ? [] : [`bits      ${made.achieved_bpw} per weight`]),
  ];
}

/** A table of a model's quantizations, then of those that the store lacks; empty if there are none. */
function quantizationTable({ quantizations = [], not_in_store: others = [], nodes }: ShownModel): readonly TextBlock[] {
  if (quantizations.length === 0) return [];
  const row = (one: Pick<AvailableQuantization, 'selector' | 'size_bytes' | 'bits_per_weight'>, files: number, where: string): string[] => [
    one.selector,
    one.size_bytes === 0 ? '?' : formatBytes(one.size_bytes),
    one.bits_per_weight === null ? '?' : String(one.bits_per_weight),
    String(files),
    where,
  ];
  const rows = [
    ...quantizations.map((one) => row(one, one.files.length, stagedOn(nodes, one.selector).map(nameOf).join(', ') || '-')),
    ...others.map((one) => row(one, one.files, 'not in the store')),
  ];
  return [{ header: ['QUANTIZATION', 'SIZE', 'BITS', 'FILES', 'STAGED ON'], rows, alignRight: [1, 2, 3] }, ''];
}

const nameOf = ({ name, node_id }: ShownModel['nodes'][number]): string => name ?? node_id;
