import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { defineConfig } from 'rolldown';
import { configSchema } from './src/core/config/schema.ts';
import { validatorOptions } from './src/core/kernel/validate.ts';

/** React has a second form for whoever develops with it, which is three times as slow to load. */
const production = { 'process.env.NODE_ENV': '"production"' };

/** What draws the screens of the terminal. */
const screenLibraries = ['ink', 'react', 'react/jsx-runtime'];

// Start-up is part of the product: a warm `skulk stage` runs before every cold start of a model. Reading a few bundled
// chunks instead of some hundreds of files is most of what makes it quick, and takes a quarter off the start of `serve`. What only
// some commands need stays outside.
const program = defineConfig({
  input: {
    main: 'src/cli/main.ts',
    'commands-index': 'src/commands/index.ts',
    index: 'src/index.ts',
  },
  platform: 'node',
  // `await using` came with Node 24.
  transform: { target: 'node22', define: production },
  external: [
    ...screenLibraries,
    'bonjour-service',
    '@huggingface/gguf',
    '@huggingface/hub',
    '@huggingface/ollama-utils',
    'http-proxy-agent',
    'https-proxy-agent',
    'proxy-from-env',
  ],
  plugins: [compiledConfigCheck(), leanBuiltins()],
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Only chunks import them, as screens are imported when one is shown.
    paths: Object.fromEntries(screenLibraries.map((name) => [name, `../screen/build/${fileOf(name)}.js`])),
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
          test: /src[\\/]core[\\/](kernel[\\/](?!validate|problem)|protocol[\\/](?!routes[\\/](?!call))|staging[\\/]|transfer[\\/](?!.*-worker))[\w-/\\]+\.ts$/,
        },
      ],
    },
  },
});

// Ink waits at its top level, and so does Yoga, its layout engine. One such module keeps the bundler from joining any chunks of its bundle,
// and a warm stage would read 75 files instead of 53. So they have a bundle of their own.
const screen = defineConfig({
  input: Object.fromEntries(screenLibraries.map((name) => [fileOf(name), name])),
  platform: 'node',
  transform: { target: 'node22', define: production },
  // Ink asks for it only when DEV is set and somebody has installed it.
  external: ['react-devtools-core'],
  plugins: [namedExports(), packageOfInk()],
  output: { dir: 'dist/screen', format: 'esm', entryFileNames: 'build/[name].js', chunkFileNames: 'build/[name]-[hash].js' },
});

// A thread reads what it imports for itself: of the chunks of the program, which have much more than it needs, each of them would keep some
// megabytes in memory.
const threads = defineConfig({
  input: {
    'hash-worker': 'src/core/transfer/hashing/hash-worker.ts',
    'announce-worker': 'src/core/store/ingest/announce-worker.ts',
    'manifest-worker': 'src/core/store/records/manifest-worker.ts',
    'gguf-worker': 'src/core/store/facts/gguf-worker.ts',
    'range-worker': 'src/core/client/wire/range-worker.ts',
  },
  platform: 'node',
  transform: { target: 'node22', define: production },
  external: ['@huggingface/gguf'],
  plugins: [leanBuiltins()],
  output: { dir: 'dist', format: 'esm', sourcemap: true, entryFileNames: '[name].js', chunkFileNames: 'threads/[name]-[hash].js' },
});

export default [program, threads, screen];

/** `react/jsx-runtime` as a file name. */
function fileOf(name) {
  return name.replace('/', '-');
}

/** Gives the entries that are CommonJS, which React is, exports with names. */
function namedExports() {
  const require = createRequire(import.meta.url);
  const prefix = 'named:';
  return {
    name: 'named-exports',
    resolveId: (id, importer) => (importer === undefined && id.startsWith('react') ? prefix + id : undefined),
    load(id) {
      if (!id.startsWith(prefix)) return undefined;
      const name = id.slice(prefix.length);
      return `import whole from '${name}';\nexport const { ${Object.keys(require(name)).join(', ')} } = whole;\n`;
    },
  };
}

/** Puts Ink's package.json where its code expects it: it reads its version there when DEV is set, and warns when it cannot. */
function packageOfInk() {
  const { name, version, type } = JSON.parse(readFileSync(new URL('node_modules/ink/package.json', import.meta.url), 'utf8'));
  return {
    name: 'package-of-ink',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'package.json', source: JSON.stringify({ name, version, type }) });
    },
  };
}

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
