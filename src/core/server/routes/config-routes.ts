import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { browseDirectories } from '../../operations/settings/browse-directories.ts';
import { changeConfig } from '../../operations/settings/change-config.ts';
import { namesOfChanges } from '../../operations/settings/describe-changes.ts';
import { configurationSchema, viewConfig } from '../../operations/settings/view-config.ts';
import { addRoute } from './add-route.ts';

const sections = ['model_store', 'hf_token'] as const;
/** This machine's configuration, and the directories for its paths. @param onChanged called after a change by this route */
export function addConfigRoutes(app: FastifyInstance, deps: Deps, { onChanged }: { readonly onChanged: () => void }): void {
  addRoute(app, 'GET /config', () => viewConfig(deps));
  addRoute(app, 'GET /config/schema', async () => configurationSchema());
  addRoute(app, 'PUT /config', async (request) => {
    const dryRun = (request.query as { dry_run?: unknown }).dry_run === 'true';
    request.changedNothing = dryRun;
    const change = readChange(request);
    request.changedSettings = namesOfChanges(change);
    const note = (what: string): void => {
      request.changedSettings = what;
    };
    const result = await changeConfig(deps, { change, dryRun, onChanged: note });
    if (!dryRun && result.changed.length > 0) {
      request.log.info({ keys: result.changed, from: request.ip }, 'configuration changed');
      onChanged();
    }
    return result;
  });
  addRoute(app, 'GET /filesystem/browse', async (request) => {
    const { path } = request.query as { path?: unknown };
    if (path !== undefined && typeof path !== 'string')
      throw new SkulkError('BAD_REQUEST', 'path must be given only once', { hint: 'e.g. ?path=/mnt' });
    return browseDirectories(deps, { path });
  });
}

/** Bare, or in the format of `GET /config`. */
function readChange({ body }: FastifyRequest): Record<string, unknown> {
  const given = isMapping(body) && isMapping(body['config']) ? body['config'] : body;
  if (!isMapping(given))
    throw new SkulkError('BAD_REQUEST', 'the body must be a JSON object of settings', {
      hint: 'e.g. {"model_store":{"store_host":"mac-studio-1"}}',
    });
  const stranger = Object.keys(given).find((key) => !sections.some((known) => known === key));
  if (stranger !== undefined)
    throw new SkulkError('BAD_REQUEST', `the section ${JSON.stringify(stranger.slice(0, 80))} cannot be changed here`, {
      hint: `it accepts ${sections.join(' and ')}`,
    });
  return given;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
