/** An event of a stream, as the server sent it. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/**
 * Cuts a stream of Server-Sent Events into events, whatever pieces it comes in (WHATWG HTML, 9.2.6). Ids and retry times are not
 * used here, so they are left out.
 */
export function createEventParser(): (text: string) => readonly StreamEvent[] {
  let rest = '';
  let name = '';
  let data: string[] = [];
  return (text) => {
    const events: StreamEvent[] = [];
    // A line break may be cut in two.
    const whole = rest + text;
    const usable = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    const lines = usable.split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? '') + whole.slice(usable.length);
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) events.push({ name: name || 'message', data: data.join('\n') });
        name = '';
        data = [];
        continue;
      }
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === 'event') name = value;
      if (field === 'data') data.push(value);
    }
    return events;
  };
}
