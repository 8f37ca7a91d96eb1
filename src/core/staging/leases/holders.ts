import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { LockHolder } from '../../kernel/process/lock-claims.ts';
import { describePlace, type ProcessOnMachine } from '../../kernel/process/process-identity.ts';
import { describeHolders, type Holder } from '../../protocol/holder.ts';
import type { GroupFiles } from '../groups/copy-groups.ts';
import { covers, type Lease } from './lease.ts';

/** The purpose of leases of `skulk run`. */
export const runPurpose = 'skulk run';

/** The processes and times of live leases on a model, or on one quantization of it. */
export function holdersOf(leases: readonly Lease[], modelId: ModelId, group?: GroupFiles): readonly Holder[] {
  return leases
    .filter((lease) => covers(lease, modelId, group))
    .flatMap(({ purpose, holders, expires_at, unattended_until }): readonly Holder[] =>
      expires_at !== null
        ? [{ pid: null, purpose, until: expires_at }]
        : holders.map((holder, index) => {
            const place = placeOf(holder);
            const isTimed = place.place !== undefined && unattended_until !== undefined;
            // The program comes first, then the command that started it (`run-model.ts`).
            const starter = purpose === runPurpose && index === 0 ? holders[1] : undefined;
            return {
              pid: holder.pid,
              purpose,
              ...(starter !== undefined && { started_by: starter.pid }),
              hostname: holder.hostname,
              ...place,
              ...(isTimed && { unattended_until }),
            };
          }),
    );
}

/** Only set for a process that runs elsewhere. */
function placeOf(holder: ProcessOnMachine): Pick<Holder, 'place'> {
  const place = describePlace(holder);
  return place === undefined ? {} : { place };
}

/** The process that builds or removes a copy, as a holder of it. */
export const lockHolder = (holder: LockHolder): Holder => ({ pid: holder.pid, purpose: holder.purpose, ...placeOf(holder) });

/** The error for replacing a copy that others use. */
export function inUse(modelId: ModelId, holders: readonly Holder[]): SkulkError {
  return new SkulkError(
    'CONFLICT',
    `${modelId} has changed, but the copy on this node is in use by ${describeHolders(holders)}, so it was not updated`,
    { hint: 'stage it again when that has ended; until then, `skulk stage --offline` prints the existing copy' },
  );
}
