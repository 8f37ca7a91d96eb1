import { count, object, orNull, type Shape, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** Who uses a staged copy. */
export const holder = object({
  pid: orNull(count(), 'Null when it is kept for a time and not for a process'),
  purpose: textOrEmpty(),
  until: Type.Optional(text({ description: 'ISO 8601; only of what is kept for a time' })),
  hostname: Type.Optional(text({ description: 'The machine of the process, when a lease names one' })),
  place: Type.Optional(
    text({ description: 'Where the process runs, when its pid means nothing here, e.g. `in another container` or `on nas-2`' }),
  ),
  unattended_until: Type.Optional(
    text({
      description: 'ISO 8601: until when a process that runs elsewhere counts although nothing is heard of it; half a minute when absent',
    }),
  ),
});
export type Holder = Shape<typeof holder>;

/** `pid 4711 (skulk run)`, with the place of a process that runs elsewhere. */
export const describeHolder = ({ pid, purpose, until, place }: Holder): string =>
  pid === null ? `${purpose}, until ${until ?? 'later'}` : `pid ${pid} (${purpose})${place === undefined ? '' : ` ${place}`}`;
