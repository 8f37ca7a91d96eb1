import type { PageKeyDigest } from '../../access/page-keys.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import { decode } from '../../protocol/decode.ts';
import { count, listOrEmpty, object, orNull, type Shape, sha256 } from '../../protocol/schema.ts';

/** The longest list of keys that fits into one variable of the environment with certainty. */
const maxPages = 200;

const handover = object({
  port: orNull(count()),
  api_port: orNull(count()),
  pages: listOrEmpty(object({ digest: sha256(), for_ms: count() }), { maxItems: maxPages }),
});
type HandoverDocument = Shape<typeof handover>;

/** What a server leaves to the one that replaces it: the ports that it chose, and the tabs that have the rights of an admin. */
export interface Handover {
  /** The port of the file server; null on a node. */
  readonly port: number | null;
  readonly apiPort: number | null;
  /** Digests only, because the user of a process can read its environment. */
  readonly pages: readonly PageKeyDigest[];
}

/** Pure. */
export function writeHandover({ port, apiPort, pages }: Handover): string {
  const document: HandoverDocument = {
    port,
    api_port: apiPort,
    pages: pages.slice(-maxPages).flatMap(({ digest, forMs }) => (isSha256(digest) ? [{ digest, for_ms: forMs }] : [])),
  };
  return JSON.stringify(document);
}

/** An unreadable handover is an empty one: the server then starts like any other. Pure. */
export function readHandover(text: string | undefined): Handover {
  const read = decode(handover, parse(text ?? ''));
  return {
    port: read?.port ?? null,
    apiPort: read?.api_port ?? null,
    pages: (read?.pages ?? []).map(({ digest, for_ms }) => ({ digest, forMs: for_ms })),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
