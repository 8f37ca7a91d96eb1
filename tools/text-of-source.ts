import { parseSync, Visitor } from 'oxc-parser';
import type { TextBlock } from './text-of-markdown.ts';

/** Every string of a TypeScript file that contains words: literals, templates (with `…` for a value) and text of elements. */
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

/** Every comment of a TypeScript or JavaScript file. */
export function textOfComments(source: string, path: string): readonly TextBlock[] {
  return parseSync(path, source).comments.map(({ start, value }) => ({
    text: value.replace(/\s*\n\s*\*?\s*/g, ' ').trim(),
    line: source.slice(0, start).split('\n').length,
  }));
}

/** The names of the tests and of their groups in a file: the first argument of `test`, `describe` and their `each`. */
export function textOfTestNames(source: string, path: string): readonly TextBlock[] {
  const blocks: TextBlock[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: [name] }) => {
      if (name === undefined || !/^(?:test|describe)\b/.test(source.slice(callee.start, callee.end))) return;
      if (name.type !== 'Literal' && name.type !== 'TemplateLiteral') return;
      blocks.push({ text: source.slice(name.start + 1, name.end - 1), line: source.slice(0, name.start).split('\n').length });
    },
  }).visit(parseSync(path, source).program);
  return blocks;
}
