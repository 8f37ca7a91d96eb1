import { type AuditList, auditList } from '../protocol/events.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

/** Which changes are wanted; see `AuditQuery` of the operation. */
export interface AskedAudit {
  readonly since?: string | undefined;
  readonly failed?: boolean | undefined;
  readonly kind?: string | undefined;
  readonly who?: string | undefined;
  readonly limit: number;
}

const maxBytes = 64 * 1024 * 1024;

/** The log of changes of a store behind HTTP, as far as this client may see it. */
export const askAudit = (exchange: Exchange, { since, failed, kind, who, limit }: AskedAudit): Promise<AuditList> =>
  refuseForOther(exchange, 'list its changes', () =>
    exchange.send(callOf('GET /store/audit', {}, { since, failed, kind, who, limit }), async (response, watchdog) => {
      const { url } = exchange;
      return readAnswer(auditList, await readJson(response, { url, limit: maxBytes, watchdog }), {
        url,
        why: 'it does not list its changes',
      });
    }),
  );
