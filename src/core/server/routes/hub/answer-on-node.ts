import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ShortAnswer } from '../../../client/http/forward.ts';
import type { StoreLink } from '../../../connect/store-link.ts';
import { HubRefusal } from '../../../endpoint/contract.ts';
import type { CopyHub } from '../../../endpoint/held/copy-hub.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import { isSha256 } from '../../../kernel/sha256.ts';
import type { OpenedCopyHub } from '../../../operations/nodes/open-copy-hub.ts';
import { addVia, viaHeader } from '../../../protocol/via.ts';
import { isPlainParam, splitTarget, targetOfRoute } from '../../app/request-target.ts';
import type { FileResponse } from '../../files/plan-file-response.ts';
import { asTransfer, type FileSending, sendHead, sendRange } from '../answer-file.ts';
import { shownToStore } from '../forward-to-store.ts';
import { conditionsOf } from './file-routes.ts';
import { hubTarget } from './hub-target.ts';
import { noFetch, type Origins } from './origins.ts';
import { ownUrl } from './own-url.ts';
import { planHubFile } from './plan-hub-file.ts';
import { planBlob } from './registry-routes.ts';
import { createSilence, isAway, type Patience, usualPatience } from './silence.ts';

/** The options of a node. */
interface NodeOptions {
  readonly origins: Origins;
  readonly copies: Omit<OpenedCopyHub, keyof AsyncDisposable>;
  readonly sending: FileSending;
  /** The id of this node. */
  readonly nodeId: string | undefined;
  readonly patience?: Patience | undefined;
}

/**
 * Answers a Hub client on a node. While the store is reachable, its answer is forwarded. Only the bytes of a file come from the local
 * copy, if it has exactly the content that the store reports; then only the headers are requested from the store. It never redirects:
 * clients drop their token at another host, or do not follow redirects.
 * @returns leaves a request to the routes of this node if the store is unreachable and they can answer it
 * @throws HubRefusal, SkulkError STORE_UNREACHABLE, STORE_NOT_CONFIGURED
 */
export function answerOnNode(link: StoreLink, options: NodeOptions): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { origins, copies, nodeId, patience = usualPatience } = options;
  const { backend, listings } = copies;
  const silence = createSilence(patience);
  const askStore = (request: FastifyRequest, target: string) => askHead(link, request, { target, timeoutMs: patience.answerMs });
  return async (request, reply) => {
    const { url: route = '' } = request.routeOptions;
    const params = request.params as Record<string, string>;
    if (!Object.values(params).every(isPlainParam)) throw new HubRefusal('repoNotFound', 'the path has a part that is "." or ".."');
    const target = targetOfRoute(route, params, splitTarget(request.originalUrl).query);
    const named = modelOf(params);
    const modelId = named === undefined ? undefined : await staged(backend, named);
    const mayAnswer = named === undefined || modelId !== undefined;
    try {
      await silence.watch(modelId !== undefined, async () => {
        if (!(await silence.bound(link.mayForward(), link.url)))
          throw new HubRefusal('notFound', 'Hub clients cannot use the store of this node');
      });
      if (!(await origins.askerOf(request)).mayFetch) request.raw.headers[noFetch] = '1';
      if (nodeId !== undefined) request.raw.headers[viaHeader] = addVia(request.raw.headers[viaHeader], nodeId);
      if (modelId !== undefined) {
        const isBytes = request.method === 'GET' && bytesRoute.test(route);
        // After a body was read, or after waiting for a silent store, it is too late to answer here.
        const head = await silence.watch(true, () => askStore(request, isBytes ? target : '/health'));
        if (isBytes && isMain(params)) noteMain(listings, modelId, head);
        if (isBytes && head.status === 200 && (await sendOwn(options, request, reply, { modelId, head }))) return;
      }
      await link.forward(request.raw, reply.raw, target, {
        begin: () => reply.hijack(),
        authorization: shownToStore(request),
        location: (path) => ownUrl(request, path),
        // A store that waits for Hugging Face still answers /health at once.
        watch: {
          afterMs: patience.quietMs,
          isThere: () => askHead(link, request, { target: '/health', timeoutMs: patience.answerMs - patience.quietMs }),
        },
      });
    } catch (error) {
      if (!mayAnswer || !isAway(error) || !(await origins.mayReadCopies(request))) throw error;
    }
  };
}

/** The routes with a file as answer. */
const bytesRoute = /\/(?:resolve|raw)\/:revision\/\*$|\/blobs\/:digest$/;

const isMain = ({ revision }: Readonly<Record<string, string>>): boolean => revision === 'main' || revision === 'HEAD';

/** The model of a route; undefined for a route without one. */
function modelOf(params: Readonly<Record<string, string>>): string | undefined {
  return params['id'] === undefined && params['org'] === undefined ? undefined : hubTarget({ params }).id;
}

/** Whichever side answers rejects an invalid id. */
const staged = (backend: CopyHub, id: string): Promise<ModelId | undefined> =>
  backend.find(id).catch((error: unknown) => {
    if (error instanceof HubRefusal) return undefined;
    throw error;
  });

/** Requests the store's headers before a copy is sent: the answer without its body. */
function askHead(
  link: Pick<StoreLink, 'ask'>,
  request: FastifyRequest,
  { target, timeoutMs }: { readonly target: string; readonly timeoutMs: number },
): Promise<ShortAnswer> {
  const { [noFetch]: isNoFetch, 'user-agent': userAgent = '' } = request.raw.headers;
  const headers = { 'user-agent': userAgent, ...(isNoFetch !== undefined && { [noFetch]: '1' }) };
  const authorization = { shown: shownToStore(request) };
  return link.ask(target, { method: 'HEAD', headers, authorization, timeoutMs, maxBytes: 64 * 1024 });
}

function noteMain(listings: NodeOptions['copies']['listings'], modelId: ModelId, { status, headers }: ShortAnswer): void {
  if (status === 200) listings.compare(modelId, headers['x-repo-commit']);
  else if (headers['x-error-code'] === 'RepoNotFound') listings.compare(modelId, undefined);
}

/** Sends a file of the copy, if it matches the store's headers. @returns whether it was sent */
async function sendOwn(
  { copies: { backend }, sending, origins }: NodeOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { modelId, head }: { readonly modelId: ModelId; readonly head: ShortAnswer },
): Promise<boolean> {
  const { path, revision } = hubTarget(request);
  const { digest } = request.params as Readonly<Record<string, string>>;
  const { etag: quoted = '', 'content-length': length, 'x-repo-commit': commit = '', 'x-linked-etag': link } = head.headers;
  const etag = quoted.replaceAll('"', '');
  const size = Number(length ?? Number.NaN);
  const file = await backend.openSame(modelId, { path: digest === undefined ? path : undefined, etag, size });
  if (file === undefined) return false;
  await using opened = file;
  const isPublic = await origins.isPublic();
  const plan = (): FileResponse => {
    if (digest !== undefined && isSha256(etag)) {
      const { org, name } = request.params as Readonly<Record<string, string>>;
      return planBlob(request, reply, { id: `${org}/${name}`, sha256: etag, size, isPublic });
    }
    const bytes = { size, id: etag, isLinked: link !== undefined };
    return planHubFile(conditionsOf(request), { repo: { commit }, path, bytes, caching: { isImmutable: revision === commit, isPublic } });
  };
  const planned = plan();
  const { range } = planned;
  if (range === null) sendHead(reply, planned).raw.end();
  else
    await asTransfer(sending, request, () =>
      sendRange(sending, request, reply, { plan: planned, file: { ...opened, modelId, path: opened.path }, range }),
    );
  return true;
}
