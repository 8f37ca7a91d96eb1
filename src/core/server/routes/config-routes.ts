import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { browseDirectories } from '../../operations/settings/browse-directories.ts';
import { changeConfig, configurationSchema, viewConfig } from '../../operations/settings/change-config.ts';
import { forAdmins, forReaders } from '../access/require-role.ts';
import { errorSchema, query } from './schemas.ts';

const sections = ['model_store', 'hf_token'] as const;
const open = { type: 'object', additionalProperties: true } as const;
const viewSchema = {
  ...open,
  description:
    "config: every effective setting in the file's own shape; secrets: which are set; overridden: what a flag or the environment sets; restart_because: what the server still runs with otherwise; service: the unit of systemd that it runs under, and what that does not let it write to",
} as const;

/** This machine's configuration, and the directories that it may name. @param onChanged told when it was changed here */
export function addConfigRoutes(app: FastifyInstance, deps: Deps, { onChanged }: { readonly onChanged: () => void }): void {
  const failures = { 400: errorSchema, 403: errorSchema };
  app.get(
    '/config',
    { config: forReaders, schema: { summary: 'The configuration, without secrets', response: { 200: viewSchema } } },
    async () => viewConfig(deps),
  );
  app.get(
    '/config/schema',
    { config: forReaders, schema: { summary: 'The JSON schema of the configuration file', response: { 200: open } } },
    async () => configurationSchema(),
  );
  app.put(
    '/config',
    {
      config: forAdmins,
      schema: {
        summary: 'Change settings; what is not named stays, null takes a key out',
        querystring: query('dry_run'),
        body: {
          description: 'Sections as in skulk.yaml, e.g. {"model_store":{"store_host":"mac-studio-1"}}',
          examples: [{ model_store: { store_host: 'mac-studio-1' } }],
        },
        response: { 200: viewSchema, ...failures },
      },
    },
    async (request) => {
      const dryRun = (request.query as { dry_run?: unknown }).dry_run === 'true';
      const result = await changeConfig(deps, { change: readChange(request), dryRun });
      if (!dryRun && result.changed.length > 0) {
        request.log.info({ keys: result.changed, from: request.ip }, 'the configuration was changed');
        onChanged();
      }
      return result;
    },
  );
  app.get(
    '/filesystem/browse',
    {
      config: forAdmins,
      schema: {
        summary: 'The directories in one below those that may be looked at; those themselves without a path',
        querystring: query('path'),
        response: { 200: open, ...failures, 404: errorSchema },
      },
    },
    async (request) => {
      const { path } = request.query as { path?: unknown };
      if (path !== undefined && typeof path !== 'string')
        throw new SkulkError('BAD_REQUEST', 'path is given more than once', { hint: 'e.g. ?path=/mnt' });
      return browseDirectories(deps, { path });
    },
  );
}

/** Bare, or as `GET /config` answers it. */
function readChange({ body }: FastifyRequest): Record<string, unknown> {
  const given = isMapping(body) && isMapping(body['config']) ? body['config'] : body;
  if (!isMapping(given))
    throw new SkulkError('BAD_REQUEST', 'the body is not a mapping of settings', {
      hint: 'e.g. {"model_store":{"store_host":"mac-studio-1"}}',
    });
  const stranger = Object.keys(given).find((key) => !sections.some((known) => known === key));
  if (stranger !== undefined)
    throw new SkulkError('BAD_REQUEST', `${JSON.stringify(stranger.slice(0, 80))} is not a section that can be changed here`, {
      hint: `it takes ${sections.join(' and ')}`,
    });
  return given;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
