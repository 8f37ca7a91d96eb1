import type { StoreClient } from '../../client/store-client.ts';
import type { Fleet } from '../../fleet/contract.ts';
import type { Downloads, Optimizations } from '../../jobs/contract.ts';
import type { Store } from '../../store/contract.ts';
import type { Uploads } from '../../store/upload-contract.ts';

/** A store that an operation may use until it has finished. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Its downloads from Hugging Face. */
  readonly downloads: () => Promise<Downloads>;
  /** The variants that it makes of its models. */
  readonly optimizations: () => Promise<Optimizations>;
  /** Its nodes and their orders. */
  readonly fleet: () => Promise<Fleet>;
  /** Uploads from this machine; only over HTTP. */
  readonly uploads?: Uploads;
  /** Its changes; only over HTTP. */
  readonly news?: StoreClient['news'];
  /** Its tokens and its policy; only over HTTP. */
  readonly access?: StoreClient['access'];
  /** Its log of changes; only over HTTP. */
  readonly audit?: StoreClient['audit'];
  /** The models that its nodes share; only over HTTP. */
  readonly swarms?: StoreClient['swarms'];
  /** Reports evictions of this node for that log; only over HTTP. */
  readonly reportEvictions?: StoreClient['reportEvictions'];
  /** Models on Hugging Face; only over HTTP. */
  readonly offer?: StoreClient['offer'];
  /** The quantizations of a repo that it lacks; only for a store over HTTP. */
  readonly notInStore?: StoreClient['notInStore'];
  /** The directory of the canonical copies, if this machine is the store host. */
  readonly localRoot?: string;
  /** The URL of the store; only over HTTP. */
  readonly url?: string;
  /** Throws TOKEN_WITHHELD if the token may not be sent to it; only over HTTP. */
  readonly requireToken?: () => void;
  /** Tests whether it accepts connections within this many milliseconds; only over HTTP. */
  readonly probe?: StoreClient['probe'];
}
