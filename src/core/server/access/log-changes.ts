import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isOwnAddress } from '../../kernel/machine/own-address.ts';
import { parseModelRef } from '../../kernel/model-id.ts';
import { jobNameOf } from '../../protocol/describe/activity.ts';
import { isSafe } from '../app/refuse-web-pages.ts';
import type { Asker } from './access.ts';
import { type Activity, actionOf } from './activity.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It is one of very many requests of one piece of work, so it is only logged when it fails. */
    readonly isRoutine?: boolean;
  }
  interface FastifyRequest {
    /** The settings that it changes, in words. */
    changedSettings: string | undefined;
    /** It only validates, or found nothing to change. */
    changedNothing: boolean | undefined;
    /** The error code of the failure. */
    failure: string | undefined;
    /** What it freed, as its answer says. */
    freedBytes: number | undefined;
    /** Whether nodes, or a job of this one, had not finished what it asked for when it was answered. */
    isUnfinished: boolean | undefined;
    /** The unfinished downloads and optimizations that it began or joined. */
    jobs: readonly StartedJob[] | undefined;
  }
}

/** A job that continues after the answer. */
interface StartedJob {
  /** See `jobNameOf`. */
  readonly job: string;
  readonly selector: string | null;
}

/** Notes that a request began or joined work that is not finished. @param id see `jobNameOf` */
export function noteJob(
  request: FastifyRequest,
  { id, status, created_at }: { readonly id: string | undefined; readonly status: string; readonly created_at: string },
  selector: string | undefined,
): void {
  if (id === undefined || status === 'complete' || status === 'failed') return;
  request.jobs = [...(request.jobs ?? []), { job: jobNameOf(id, created_at), selector: selector ?? null }];
}

/** Logs every request that may change something: the client, its address, the target, and the result. */
export function logChanges(app: FastifyInstance, activity?: Activity): void {
  app.decorateRequest('changedSettings');
  app.decorateRequest('changedNothing');
  app.decorateRequest('failure');
  app.decorateRequest('freedBytes');
  app.decorateRequest('isUnfinished');
  app.decorateRequest('jobs');
  app.addHook('preSerialization', async (request, _reply, payload) => {
    const { freed_bytes: freed, nodes, status = 'complete', cleared } = fieldsOf(payload);
    if (cleared === 0) request.changedNothing = true;
    if (typeof freed === 'number') request.freedBytes = freed;
    request.isUnfinished = Array.isArray(nodes) ? nodes.some((one) => fieldsOf(one)['status'] !== 'done') : status !== 'complete';
    return payload;
  });
  app.addHook('onRequest', async (request, reply) => {
    if (isSafe(request.method) || request.routeOptions.config.changesNothing === true) return;
    const { raw } = reply;
    // Also for an answer written by hand, and for a client that has gone.
    raw.once('close', () => {
      const { failure, routeOptions, log } = request;
      const isDone = raw.writableFinished && failure === undefined && raw.statusCode < 400;
      const fields = {
        who: nameOf(request.asker),
        from: request.ip,
        node: textOf(request.headers['skulk-node']),
        method: request.method,
        url: request.originalUrl.slice(0, 500),
        ...targetOf(request),
        status: raw.headersSent ? raw.statusCode : undefined,
        code: failure ?? (raw.writableFinished ? undefined : 'INTERRUPTED'),
      };
      if (activity !== undefined) note(activity, request, isDone ? null : (fields.code ?? 'INTERNAL'));
      log[isDone && routeOptions.config.isRoutine === true ? 'debug' : 'info'](fields, isDone ? 'request done' : 'request failed');
    });
  });
}

/** @param code why it failed; null when it did not */
function note(activity: Activity, request: FastifyRequest, code: string | null): void {
  const { method, routeOptions, asker, ip, headers, body, freedBytes, isUnfinished = false, jobs = [] } = request;
  const named = actionOf(method, routeOptions.url ?? '');
  const action = named === 'purge' && fieldsOf(body)['kind'] === 'stage' ? 'stage' : named;
  // A verification without repairs only reads. `skulk delete` uses one to look a model up.
  if (action === 'verify' && fieldsOf(body)['repair'] !== true) return;
  // A stranger may ask for anything, and is not to push away what others did.
  if (action === undefined || request.changedNothing === true || code === 'UNAUTHORIZED' || code === 'FORBIDDEN') return;
  const { model, target, name } = targetOf(request) as { model?: string; target?: string; name?: string };
  const selector = fieldsOf(request.params)['selector'] ?? fieldsOf(body)['selector'] ?? fieldsOf(body)['gguf_file'];
  const listed = nameListed(fieldsOf(body)['model_ids']);
  const entry = {
    who: isOfOwner(request) && activity.owner !== undefined ? `user ${activity.owner}` : nameOf(asker),
    from: ip,
    node: textOf(headers['skulk-node']) ?? null,
    action,
    model_id: model ?? listed.model_id ?? null,
    selector: textOf(selector) ?? listed.selector ?? null,
    target: target ?? listed.target ?? request.changedSettings ?? (action.endsWith('-token') ? (name ?? null) : null),
    code,
    ...(code === null && freedBytes !== undefined && (action === 'delete' || action === 'purge') && { freed_bytes: freedBytes }),
    // The answer only says that the order was given, or that the job began.
    ...(code === null && isUnfinished && (action === 'stage' || action === 'purge') && { state: 'accepted' as const }),
  };
  // What began continues, even if the rest of the request failed.
  for (const job of jobs) activity.record({ ...entry, ...job, code: null, state: 'accepted' });
  if (code !== null || jobs.length === 0) activity.record(entry);
}

/** The models of a list in a body: one by its id, several as a text. */
function nameListed(value: unknown): { readonly model_id?: string; readonly selector?: string; readonly target?: string } {
  if (!Array.isArray(value) || value.length === 0) return {};
  const names = value.map((name) => textOf(name) ?? '');
  if (names.length > 1) return { target: namesOf(names) };
  const [target = ''] = names;
  try {
    const { modelId, selector } = parseModelRef(target);
    return { model_id: modelId, ...(selector !== undefined && { selector }) };
  } catch {
    return { target };
  }
}

/** The maximum length of a list of names. */
const maxNames = 200;

/** As many names as have room, and how many more there are. Pure. */
export function namesOf(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const said = [first.slice(0, maxNames)];
  let length = first.length;
  for (const name of others) {
    length += name.length + 2;
    if (length > maxNames) break;
    said.push(name);
  }
  const more = names.length - said.length;
  return more === 0 ? said.join(', ') : `${said.join(', ')} and ${more} more`;
}

/** Only the user that runs the server can read the key of the machine, so a command on this machine that sends it is that user's. */
const isOfOwner = ({ asker, ip }: FastifyRequest): boolean => asker?.credential === 'key' && isOwnAddress(ip);

function nameOf(asker: Asker | undefined): string {
  if (asker === undefined) return 'unknown';
  return asker.credential === 'named' ? `token ${asker.name ?? ''}` : asker.credential;
}

/** The target, as far as the URL or the body contains it. */
function targetOf({ params, query, body, routeOptions }: FastifyRequest): object {
  const { id, org, name, node, order } = fieldsOf(params);
  const fields = fieldsOf(body);
  const model =
    id ?? (org === undefined ? undefined : `${org}/${name}`) ?? fields['model_id'] ?? fields['modelId'] ?? fieldsOf(query)['model_id'];
  return {
    ...(typeof model === 'string' && { model: textOf(model) }),
    ...(Array.isArray(fields['model_ids']) && { models: fields['model_ids'].slice(0, 20).map(textOf) }),
    ...(node !== undefined && { target: textOf(node) }),
    ...(order !== undefined && { order: textOf(order) }),
    ...(typeof fields['kind'] === 'string' && { kind: textOf(fields['kind']) }),
    ...(org === undefined && id === undefined && name !== undefined && { name: textOf(name) }),
    ...(routeOptions.url?.endsWith('/tokens') === true && { name: textOf(fields['name']), role: textOf(fields['role']) }),
    ...(routeOptions.url?.endsWith('/policy') === true && { policy: textOf(JSON.stringify(fields)) }),
  };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value.slice(0, 200) : undefined);
