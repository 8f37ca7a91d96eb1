import { argument, defineCommand, flag, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { plural } from '../core/kernel/units.ts';
import type { StoreRole } from '../core/operations/store/show-role.ts';

/** `skulk store`: the role of the store, and its change. */
export const store = defineCommand({
  name: 'store',
  summary: "show the role of the store, or make this machine's store the canonical one",
  description: [
    '`show` prints the role of the store that this machine uses: canonical, behind the store of `serve --upstream`, or promoted instead of another store.',
    'Run `promote` on the machine of a store with `serve --upstream`, or of a copied store, when the first store is lost or retired. The store then stops taking models from the first one. It changes one file, .skulk/v1/store.json in the store, and no model. --undo reverts this.',
    '`promote` refuses while the first store answers, because changes would then go to two stores. If it does not answer, skulk cannot know whether it is off or only unreachable. Make sure that it stays off, or start it again only with --upstream.',
    'Pending orders, tokens and the policy of the first store are not taken over. --dry-run changes nothing. It lists the models that only the first store has, if that one still answers.',
  ],
  arguments: { action: argument('what to do', { choices: ['show', 'promote'], fallback: 'show' }) },
  options: {
    insteadOf: value('promote: the store to replace; by default the upstream of this store', 'URL'),
    undo: flag('promote: revert a promotion'),
    force: flag('promote: proceed even if the other store answers'),
    dryRun: flag('promote: only show what was found and what would be changed'),
    yes: flag('promote: do not ask'),
  },
  examples: [
    ['see the role of the store', 'skulk store'],
    ['compare with the first store while it still answers', 'skulk store promote --dry-run'],
    ['take over from a store that is lost', 'skulk store promote --instead-of http://mac-studio-1:58080'],
    ['be a store behind the first one again', 'skulk store promote --undo --yes'],
  ],
  exits: ['store-unreachable', 'conflict', 'no-space'],
  run: async ({ action, insteadOf, undo, force, dryRun, yes }, context) => {
    const usage = (message: string, hint: string): SkulkError => new SkulkError('USAGE', message, { hint });
    if (action === 'show') {
      if (insteadOf !== undefined || undo || force || dryRun || yes)
        throw usage('that option belongs to "skulk store promote", not to "skulk store show"', 'see: skulk store --help');
      const shown = await context.deps();
      const { showRole } = await import('../core/operations/store/show-role.ts');
      return await showRole(shown);
    }
    if (undo && (insteadOf !== undefined || force))
      throw usage('--undo cannot be combined with --instead-of or --force', 'use --undo alone');
    if (!dryRun && !yes && !context.canAsk())
      throw usage('"skulk store promote" needs --yes when there is no terminal to ask on', '`--dry-run` shows what would be changed');
    const deps = await context.deps();
    const { promoteStore } = await import('../core/operations/store/promote-store.ts');
    const request = { insteadOf, undo, force };
    if (!dryRun && !yes) {
      const plan = await promoteStore(deps, { ...request, dryRun: true });
      const question =
        plan.instead_of === null
          ? 'undo the promotion of this store?'
          : `make ${plan.store_path} (${plural(plan.models, 'model')}) the canonical store instead of ${plan.instead_of}${plan.answers ? ', which still answers' : ', which does not answer'}?`;
      if (plan.changed && !(await context.confirm(question))) throw new SkulkError('INTERRUPTED', 'nothing was changed');
    }
    return await promoteStore(deps, { ...request, dryRun });
  },
  text: (report) => {
    if ('role' in report)
      return [
        `store  ${report.store_path ?? report.location}${report.store_path === report.location || report.store_path === null ? '' : ` at ${report.location}`}`,
        `role   ${describeRole(report)}`,
      ];
    const { store_path: path, instead_of: url, changed, dry_run: isPlan, models } = report;
    const does = !changed ? 'is already' : isPlan ? 'would be' : 'was';
    if (url === null) {
      if (!changed) return [`the store in ${path} is not promoted, so nothing was changed`];
      return [`the promotion of the store in ${path} ${isPlan ? 'would be' : 'was'} taken back`, ...restartLine(report)];
    }
    return [
      `the store in ${path} (${plural(models, 'model')}) ${does} promoted instead of ${url}`,
      report.answers
        ? `${url} still answers: stop it, or changes go to two stores`
        : `${url} does not answer; skulk cannot know whether it is off or only unreachable, so make sure that it stays off`,
      ...listLine('only the other store has', report.missing),
      ...listLine('the other store has with another size', report.different),
      ...listLine('registered here without files', report.lost),
      ...restartLine(report),
      `nodes follow with store_host in skulk.yaml, or SKULK_STORE=${report.url ?? 'http://THIS-MACHINE:58080'}`,
    ];
  },
  json: (report) => report,
});

function describeRole({ role, upstream, replaces }: StoreRole): string {
  if (role === 'promoted') return `canonical, promoted instead of ${replaces}`;
  return role === 'behind' ? `behind ${upstream}: missing models come from there` : 'canonical';
}

const restartLine = ({ restart }: { readonly restart: boolean }): readonly TextBlock[] =>
  restart
    ? [
        'restart its server: end `skulk serve` and start it again, or if it is a service, `skulk service restart`; until then it works as before',
      ]
    : [];

const listLine = (what: string, models: readonly string[] | null): readonly TextBlock[] =>
  models === null || models.length === 0 ? [] : [`${what}: ${models.join(', ')}`];
