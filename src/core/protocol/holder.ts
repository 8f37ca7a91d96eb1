import { count, object, orNull, type Shape, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** A user of a staged copy. */
export const holder = object({
  pid: orNull(count(), 'Null for a hold by time (`--keep`), which has no process'),
  purpose: textOrEmpty(),
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
export const describeHolder = ({ pid, purpose, until, place }: Holder): string =>
  pid === null ? `${purpose}, until ${until ?? 'later'}` : `pid ${pid} (${purpose})${place === undefined ? '' : ` ${place}`}`;
