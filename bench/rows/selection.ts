import { selectFiles } from '../../src/core/catalog/selection/select-files.ts';
import { summarize } from '../measure.ts';
import type { Measured, Row } from '../row.ts';

const shapes: Readonly<Record<string, (number: number) => string>> = {
  'single shards': (number) => `m-${number}-00001-of-00001.gguf`,
  'shards of one group': (number) => `m-Q4_K_M-${String(number).padStart(5, '0')}-of-99999.gguf`,
  'folders of GGUF': (number) => `d${number}/m-Q8_0.gguf`,
  'folders of safetensors': (number) => `d${number}/model.safetensors`,
  'long names': (number) => `${'-part'.repeat(40)}${number}.gguf`,
};

function cpuMsOf(count: number, shape: (number: number) => string): number {
  const files = Array.from({ length: count }, (_, number) => ({ path: shape(number + 1), size: 4_000_000_000 + number }));
  const began = process.cpuUsage();
  selectFiles(files, {});
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

/** Selecting files takes time in proportion to the listing: four times as many files take about four times as long, not sixteen times. */
export const selection: Row = {
  id: 'selection',
  run: async ({ rounds }) =>
    Object.entries(shapes).map(([what, shape]): Measured => {
      cpuMsOf(2000, shape);
      const samples = Array.from({ length: rounds }, () => ({ many: cpuMsOf(40_000, shape), few: cpuMsOf(10_000, shape) }));
      const ratio = summarize(samples.map(({ many, few }) => many / few));
      return {
        name: `choosing from 40,000 files, ${what}`,
        unit: 'ms',
        value: summarize(samples.map(({ many }) => many)),
        peer: { name: 'from 10,000 files', value: summarize(samples.map(({ few }) => few)) },
        ratio,
        goal: '<= 8',
        isMet: ratio.median <= 8,
      };
    }),
};
