import { Box } from 'ink';
import { render } from 'ink-testing-library';
import type { ReactElement } from 'react';
import { onTestFinished, vi } from 'vitest';
import { Keyboard } from '../../src/cli/render/parts/keys.tsx';
import { SizeContext } from '../../src/cli/render/parts/use-size.ts';
import { ColorContext } from '../../src/cli/render/parts/words.tsx';

interface ShowOptions {
  readonly hasColor?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** A part as it is on the screen. */
const framed = (part: ReactElement, { hasColor = false, columns = 60, rows = 20 }: ShowOptions): ReactElement => (
  <ColorContext value={hasColor}>
    <Keyboard>
      <SizeContext value={{ columns, rows }}>
        <Box width={columns} height={rows} flexDirection="column">
          {part}
        </Box>
      </SizeContext>
    </Keyboard>
  </ColorContext>
);

/** Renders a part; ended with the test. */
export function show(part: ReactElement, options: ShowOptions = {}) {
  // The stream of the testing library has no height, and Ink would start `tput` for every frame to learn one.
  vi.stubEnv('COLUMNS', '100');
  vi.stubEnv('LINES', '24');
  onTestFinished(() => void vi.unstubAllEnvs());
  const shown = render(framed(part, options));
  onTestFinished(() => shown.unmount());
  const press = async (...inputs: readonly string[]): Promise<void> => {
    for (const input of inputs) {
      shown.stdin.write(input);
      // A single Escape is delayed for a moment, because more keys may follow; then everything is drawn.
      let frames = -1;
      for (let still = 0; still < 4; still = shown.frames.length === frames ? still + 1 : 0) {
        frames = shown.frames.length;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  return { press, seen: () => shown.lastFrame() ?? '', again: (other: ReactElement) => shown.rerender(framed(other, options)) };
}
