import { type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { within } from './waiting.ts';

/** A received event. */
export interface ReceivedEvent {
  readonly name: string;
  readonly data: unknown;
}

/** A stream of Server-Sent Events that a test listens to. */
export interface EventSource {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: readonly ReceivedEvent[];
  /** Comments, which are heartbeats. */
  readonly comments: () => number;
  /** The next event with a name, received or future, that the test accepts. */
  until<T>(name: string, isWanted: (data: T) => boolean): Promise<T>;
  /** Drops received events, so that a test of many large events keeps none. */
  clear(): void;
  /** Settles when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Listens to a URL; closed at the end of the test. An answer that is not a stream rejects with its body. */
export async function listenTo(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventSource> {
  const sent = request(url, { headers: { ...headers }, agent: false });
  sent.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject));
  onTestFinished(() => void sent.destroy());
  const events: ReceivedEvent[] = [];
  const wake = new Set<() => void>();
  let [text, comments] = ['', 0];
  if (response.statusCode !== 200) {
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    throw new Error(`${response.statusCode} ${text}`);
  }
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name === undefined || data === undefined) comments += 1;
      else events.push({ name, data: JSON.parse(data) });
    }
    for (const one of wake) one();
  });
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  /** The position in the events of each name. */
  const taken = new Map<string, number>();
  return {
    status: response.statusCode,
    headers: response.headers,
    events,
    comments: () => comments,
    until: <T>(name: string, isWanted: (data: T) => boolean) =>
      within(
        `an event ${name}`,
        new Promise<T>((resolve) => {
          const look = (): void => {
            for (const [index, event] of events.entries()) {
              if (index < (taken.get(name) ?? 0) || event.name !== name) continue;
              taken.set(name, index + 1);
              if (!isWanted(event.data as T)) continue;
              wake.delete(look);
              resolve(event.data as T);
              return;
            }
          };
          wake.add(look);
          look();
        }),
        () => JSON.stringify(events.slice(-5)).slice(0, 2000),
      ),
    clear: () => {
      events.length = 0;
      taken.clear();
    },
    ended,
    close: () => void sent.destroy(),
  };
}
