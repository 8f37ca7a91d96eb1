import { Text, type TextProps } from 'ink';
import { createContext, type ReactElement, useContext } from 'react';
import { safeCell } from '../../safe-text.ts';

/** The style of a text; its colours are the terminal's own. */
export type Tone = 'plain' | 'strong' | 'quiet' | 'accent' | 'title' | 'good' | 'warn' | 'bad';

/** A text with its style. */
export type Part = string | { readonly text: string; readonly tone: Tone };

/** Whether colours may be used. */
export const ColorContext = createContext(true);

const colored: Readonly<Record<Tone, TextProps>> = {
  plain: {},
  strong: { bold: true },
  quiet: { dimColor: true },
  accent: { color: 'cyan' },
  title: { color: 'cyan', bold: true },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red' },
};

const plain: Readonly<Record<Tone, TextProps>> = {
  plain: {},
  strong: { bold: true },
  quiet: {},
  accent: {},
  title: { bold: true },
  good: {},
  warn: {},
  bad: { bold: true },
};

/**
 * One line of texts, cut and never wrapped. Control characters in them are escaped.
 * @param isChosen whether the whole line is highlighted, like the line of a cursor; with colours, in reverse
 */
export function Line({ parts, isChosen = false }: { readonly parts: readonly Part[]; readonly isChosen?: boolean }): ReactElement {
  const hasColor = useContext(ColorContext);
  const tones = hasColor ? colored : plain;
  const isReverse = isChosen && hasColor;
  return (
    <Text wrap="truncate-end" inverse={isReverse} bold={isChosen && !hasColor}>
      {parts.map((part, index) => {
        const { text, tone } = typeof part === 'string' ? ({ text: part, tone: 'plain' } as const) : part;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line have no other names
          <Text key={index} {...(isReverse ? {} : tones[tone])}>
            {safeCell(text)}
          </Text>
        );
      })}
    </Text>
  );
}

/** An empty line. */
export const Blank = (): ReactElement => <Text> </Text>;
