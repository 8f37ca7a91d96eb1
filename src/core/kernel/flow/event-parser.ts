/** One event of a stream, as the server sent it. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/**
 * Cuts a stream of Server-Sent Events into events, however it is split into pieces (WHATWG HTML, 9.2.6). Ignores ids and retry times,
 * which nothing here uses, and incomplete events. Node and the page in the browser both read their streams with it.
 * @param maxLineLength in UTF-16 units; the returned function throws a RangeError for a longer line
 */
export function createEventParser({
  maxLineLength = Number.POSITIVE_INFINITY,
}: {
  readonly maxLineLength?: number;
} = {}): (text: string) => readonly StreamEvent[] {
  // The parts of an unfinished line. They are joined once: a list of very many models is one line in thousands of pieces.
  let parts: string[] = [];
  let length = 0;
  let endedWithCr = false;
  let name = '';
  let data: string[] = [];

  const addPart = (part: string): void => {
    length += part.length;
    if (length > maxLineLength) throw new RangeError(`a line has more than ${maxLineLength} characters`);
    if (part !== '') parts.push(part);
  };
  const endLine = (): StreamEvent | undefined => {
    const line = parts.join('');
    [parts, length] = [[], 0];
    if (line !== '') {
      const [field, value] = fieldOf(line);
      if (field === 'event') name = value;
      if (field === 'data') data.push(value);
      return undefined;
    }
    const event = data.length > 0 ? { name: name || 'message', data: data.join('\n') } : undefined;
    [name, data] = ['', []];
    return event;
  };

  return (text) => {
    if (text === '') return [];
    // A CR ends a line at once. An LF that belongs to it may come with the next piece.
    const [first = '', ...lines] = (endedWithCr && text.startsWith('\n') ? text.slice(1) : text).split(/\r\n|\r|\n/);
    endedWithCr = text.endsWith('\r');
    addPart(first);
    return lines.flatMap((line) => {
      const event = endLine();
      addPart(line);
      return event ?? [];
    });
  };
}

/** The name and the value of a line. One space before the value is not part of it. */
function fieldOf(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)];
}
