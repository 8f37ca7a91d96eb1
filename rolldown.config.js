import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { defineConfig } from 'rolldown';
import { configSchema } from './src/core/config/schema.ts';
import { validatorOptions } from './src/core/kernel/validate.ts';

// Start-up is part of the product: a warm `skulk stage` runs before every cold start of a model. Reading a few bundled
// chunks instead of some hundreds of files is most of what makes it quick, and takes a quarter off the start of `serve`. What only
// some commands need stays outside.
export default defineConfig({
  input: {
    main: 'src/cli/main.ts',
    'commands-index': 'src/commands/index.ts',
    index: 'src/index.ts',
    'hash-worker': 'src/core/transfer/hash-worker.ts',
    'announce-worker': 'src/core/store/ingest/announce-worker.ts',
    'manifest-worker': 'src/core/store/records/manifest-worker.ts',
    'gguf-worker': 'src/core/store/facts/gguf-worker.ts',
    'range-worker': 'src/core/client/wire/range-worker.ts',
  },
  platform: 'node',
  // `await using` came with Node 24. React has a second form for whoever develops with it, which is three times as slow to load.
  transform: { target: 'node22', define: { 'process.env.NODE_ENV': '"production"' } },
  external: [
    // It waits at its top level; see below.
    'yoga-layout',
    'bonjour-service',
    '@huggingface/gguf',
    '@huggingface/hub',
    'http-proxy-agent',
    'https-proxy-agent',
    'proxy-from-env',
  ],
  plugins: [compiledConfigCheck(), inkWithoutWaiting(), leanBuiltins()],
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: {
      groups: [
        // What even `--version` needs, in one file; the rest stays where the dynamic imports put it.
        {
          name: 'shell',
          test: /src[\\/](cli[\\/](main|scan|terminal|host|report-error|safe-text|redact|global-options|specs)|core[\\/]kernel[\\/](errors|explain-system-error|process[\\/]own-process))\.ts$/,
        },
        // Small, and read by nearly every command: one file is quicker to read than twenty.
        {
          name: 'kernel',
          test: /src[\\/]core[\\/](kernel[\\/](?!validate|problem)|staging[\\/]|transfer[\\/](?!.*-worker))[\w-/\\]+\.ts$/,
        },
      ],
    },
  },
});

/**
 * Turns `import { x } from 'node:http'` into a look-up of `x` alone. An import of a built-in module evaluates every export
 * of it, and among those are getters that load the WebSocket client (40 ms) or the file streams (5 ms).
 */
function leanBuiltins() {
  return {
    name: 'lean-builtins',
    renderChunk(code) {
      const lean = code.replaceAll(
        /^import (?:(\w+)(?:, )?)?(?:\* as (\w+) )?(?:\{([^}]*)\})? ?from "(node:[\w/]+)";$/gm,
        (_, byDefault, namespace, names, module) => {
          const lookUp = `globalThis.process.getBuiltinModule("${module}")`;
          const whole = [byDefault, namespace].filter(Boolean).map((name) => `const ${name} = ${lookUp};`);
          const parts = names ? [`const {${names.replaceAll(' as ', ': ')}} = ${lookUp};`] : [];
          return [...whole, ...parts].join(' ');
        },
      );
      return { code: lean, map: null };
    },
  };
}

/**
 * Leaves out what Ink waits for when DEV is set. A single module that waits at its top level keeps the bundler from joining any chunks,
 * and a warm stage would read 75 files instead of 53.
 */
function inkWithoutWaiting() {
  const waits = { "await import('./devtools.js')": 'undefined', 'await loadPackageJson()': 'packageInfo' };
  return {
    name: 'ink-without-waiting',
    transform(code, id) {
      if (!/[\\/]ink[\\/]build[\\/]reconciler\.js$/.test(id)) return undefined;
      let left = code;
      for (const [wait, instead] of Object.entries(waits)) {
        if (!left.includes(wait)) this.error(`Ink has no ${wait} any more`);
        left = left.replace(wait, instead);
      }
      return { code: left, map: null };
    },
  };
}

/** Puts the schema as data, and its check as compiled code, in place of the files that would make them at run time (35 ms). */
function compiledConfigCheck() {
  return {
    name: 'compiled-config-check',
    load(id) {
      if (id.endsWith('/core/config/schema.ts')) return `export const configSchema = ${JSON.stringify(configSchema)};`;
      if (!id.endsWith('/core/config/check-config.ts')) return undefined;
      const ajv = new Ajv({ ...validatorOptions, code: { source: true, esm: true } });
      const check = standaloneCode.default(ajv, ajv.compile(configSchema)).replace('export default validate', 'const compiled = validate');
      return `import { toProblems } from '../kernel/problem.ts';\n${check.replaceAll(/^export const validate/gm, 'const validate')}\nexport const checkConfig = (value) => (compiled(value) ? [] : toProblems(compiled.errors));\n`;
    },
  };
}
