import { count, object, orNull, type Shape, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** A user of a staged copy. */
export const holder = object({
  pid: orNull(count(), 'Null for a hold by time (`--keep`), which has no process'),
  purpose: textOrEmpty(),
  started_by: Type.Optional(count({ description: 'Only for a program of `skulk run`: the pid of that command, which is listed too' })),
  until: Type.Optional(text({ description: 'ISO 8601; only for a hold by time' })),
  hostname: Type.Optional(text({ description: 'The machine of the process, if the lease has one' })),
  place: Type.Optional(
    text({ description: 'Where the process runs, if its pid is not valid here, e.g. `in another container` or `on nas-2`' }),
  ),
  unattended_until: Type.Optional(
    text({
      description: 'ISO 8601: until when a process elsewhere counts without a renewal; absent: half a minute',
    }),
  ),
});
export type Holder = Shape<typeof holder>;

/** `pid 4711 (skulk run)`, with the location of a process elsewhere. */
function describeHolder({ pid, purpose, until, place, started_by: by }: Holder): string {
  if (pid === null) return `${purpose}, until ${until ?? 'later'}`;
  return `pid ${pid} (${by === undefined ? purpose : `started by ${purpose}, pid ${by}`})${place === undefined ? '' : ` ${place}`}`;
}

/** All users of a copy. A program of `skulk run` and that command are named as one. Pure. */
export const describeHolders = (holders: readonly Holder[]): string =>
  holders
    .filter(({ pid, hostname }) => !holders.some((one) => pid !== null && one.started_by === pid && one.hostname === hostname))
    .map(describeHolder)
    .join(', ');
