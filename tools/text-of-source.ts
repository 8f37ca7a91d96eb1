import { parseSync, Visitor } from 'oxc-parser';
import type { TextBlock } from './text-of-markdown.ts';

/** Every string of a TypeScript file that has words: literals, templates (a value in it becomes `…`) and text of elements. */
export function textOfSource(source: string, path: string): readonly TextBlock[] {
  const blocks: TextBlock[] = [];
  const add = (start: number, text: string): void => {
    if (/[a-z].*\s.*[a-z]/is.test(text)) blocks.push({ text, line: source.slice(0, start).split('\n').length });
  };
  new Visitor({
    Literal: ({ start, value }) => {
      if (typeof value === 'string') add(start, value);
    },
    TemplateLiteral: ({ start, quasis }) => {
      add(start, quasis.map(({ value }) => value.cooked ?? value.raw).join('…'));
    },
    JSXText: ({ start, value }) => {
      add(start, value);
    },
  }).visit(parseSync(path, source).program);
  return blocks;
}
